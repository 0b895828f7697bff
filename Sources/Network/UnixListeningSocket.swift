public import EventLoop
internal import Glibc

/// The one owner of a Unix socket that accepts connections at a path, which it removes at the end of its life.
public struct UnixListeningSocket: ~Copyable, Sendable {
    private let path: String
    /// Tells the file from one that somebody else has put there since.
    private let device: UInt64
    private let file: UInt64
    private let socket: ListeningSocket

    /// Binds the path and starts listening; nobody but the same user may connect (mode 0600).
    ///
    /// A socket at the path that nobody answers on any more is replaced. Everything else that is there stays.
    /// - Parameter path: at most ``SocketAddress/longestUnixPath`` bytes.
    /// - Throws: ``SystemError``: EADDRINUSE where somebody answers or something else is there, EACCES, ENOENT, EROFS.
    public init(at path: String) throws(SystemError) {
        try Self.removeStale(path)
        let socket = try Self.listen(at: path)
        let status = try Self.status(of: path)
        self.init(socket, path: path, status)
    }

    private init(_ socket: consuming ListeningSocket, path: String, _ status: stat) {
        self.path = path
        device = UInt64(status.st_dev)
        file = UInt64(status.st_ino)
        self.socket = socket
    }

    private static func listen(at path: String) throws(SystemError) -> ListeningSocket {
        // The mask and not chmod(2), so that the file is nobody else's at any moment. It is the process's, which is why this
        // is for the start and for reloads, when nothing else makes files.
        let mask = umask(0o177)
        defer { umask(mask) }
        return try ListeningSocket(on: .unix(path: path))
    }

    deinit {
        guard let status = try? Self.status(of: path), UInt64(status.st_dev) == device, UInt64(status.st_ino) == file
        else { return }
        unlink(path)
    }

    /// Another descriptor of the same socket, for somebody who accepts connections on it while this one lives.
    /// - Throws: ``SystemError``: EMFILE.
    public func duplicate() throws(SystemError) -> Descriptor {
        try Descriptor(duplicating: socket.number)
    }

    /// A socket refuses connections once its owner has gone; that is the only sign there is.
    private static func removeStale(_ path: String) throws(SystemError) {
        guard let status = try? status(of: path), status.st_mode & S_IFMT == S_IFSOCK else { return }
        let address = SocketAddress.unix(path: path)
        let visitor = try Socket(toReach: address)
        guard case .failed(ECONNREFUSED) = visitor.connect(to: address) else { return }
        guard unlink(path) == 0 || errno == ENOENT else { throw SystemError("unlink") }
    }

    private static func status(of path: String) throws(SystemError) -> stat {
        var status = stat()
        guard lstat(path, &status) == 0 else { throw SystemError("lstat") }
        return status
    }
}

internal import CLinux
public import EventLoop
internal import Glibc

/// The one owner of a Unix socket that accepts connections at a path, which it removes at the end of its life, or at an
/// abstract name, which goes by itself.
public struct UnixListeningSocket: ~Copyable, Sendable {
    private let path: String
    /// Tells the file from one that somebody else has put there since; nil where there is no file.
    private let file: FileIdentity?
    private let socket: ListeningSocket

    private struct FileIdentity: Equatable {
        let device: UInt64
        let number: UInt64

        init(_ status: stat) {
            device = UInt64(status.st_dev)
            number = UInt64(status.st_ino)
        }
    }

    /// Binds the path and starts listening. The file has its mode from the first moment on, and nobody can connect before it
    /// has its owner.
    ///
    /// A socket at the path that nobody answers on any more is replaced. Everything else that is there stays.
    /// - Parameters:
    ///   - path: at most ``SocketAddress/longestUnixPath`` bytes; of an abstract name behind its `@`.
    ///   - access: of no meaning for an abstract name, which everybody in the network namespace may connect to.
    /// - Throws: ``SystemError``: of bind(2) EADDRINUSE where somebody answers or something else is there, EACCES, ENOENT,
    ///   EROFS; of chown(2) EPERM; of getpwnam(3) and getgrnam(3) ENOENT where there is no such user or group.
    public init(at path: String, access: UnixSocketAccess = .sameUser) throws(SystemError) {
        let address = SocketAddress.unix(path: path)
        if address.isAbstract {
            self.init(try ListeningSocket(on: address), path: path, nil)
            return
        }
        let owner = try access.owner.map(SystemAccounts.user)
        let group = try access.group.map(SystemAccounts.group)
        // From looking at what is there until clients are accepted: to others who look, we are dead before.
        let lock = FolderLock(ofFile: path)
        try Self.removeStale(path)
        let bound = try Self.bind(path, mode: access.mode)
        let file = FileIdentity(try Self.status(of: path))
        if owner != nil || group != nil, clinux_chown_socket(path, owner ?? .max, group ?? .max) != 0 {
            let error = SystemError("chown")
            Self.remove(path, ifItIs: file)
            throw error
        }
        self.init(try ListeningSocket(binding: bound), path: path, file)
        withExtendedLifetime(lock) {}
    }

    private init(_ socket: consuming ListeningSocket, path: String, _ file: FileIdentity?) {
        self.path = path
        self.file = file
        self.socket = socket
    }

    /// Has a file made for a socket that does not listen yet.
    private static func bind(_ path: String, mode: UInt16) throws(SystemError) -> Socket {
        let address = SocketAddress.unix(path: path)
        let socket = try Socket(toReach: address)
        // The mask and not chmod(2), so that the file is nobody else's at any moment. It is the process's, which is why this
        // is for the start and for reloads, when nothing else makes files.
        let mask = umask(mode_t(~mode & 0o777))
        defer { umask(mask) }
        guard address.withKernelForm({ Glibc.bind(socket.number, $0, $1) }) == 0 else { throw SystemError("bind") }
        return socket
    }

    deinit {
        // While the socket is open, no other file has its number.
        if let file { Self.remove(path, ifItIs: file) }
    }

    private static func remove(_ path: String, ifItIs file: FileIdentity) {
        guard let status = try? status(of: path), FileIdentity(status) == file else { return }
        unlink(path)
    }

    /// Another descriptor of the same socket, for somebody who accepts connections on it while this one lives.
    /// - Throws: ``SystemError``: EMFILE.
    public func duplicate() throws(SystemError) -> Descriptor {
        try Descriptor(duplicating: socket.number)
    }

    /// The number by which the system's tables of sockets know it.
    public var inode: UInt64 { socket.inode }

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

internal import Discovery
internal import EventLoop
internal import Glibc
internal import Network

extension ListenError {
    init(_ listener: ListenerSet.Listener, _ error: SystemError) {
        if let socket = listener.inherited {
            self.init(taking: socket, over: listener.transport, error)
        } else if case .unix(let path) = listener.address {
            self.init(unixSocketAt: path, access: listener.access ?? UnixSocketAccess(), error)
        } else {
            self.init(listener.address, error, over: listener.transport)
        }
    }

    /// - Parameter access: the owner and mode that were asked for.
    init(unixSocketAt path: String, access: UnixSocketAccess, _ error: SystemError) {
        let reason = Self.reason(unixSocketAt: path, access: access, error)
        self.init("cannot listen on \(SocketAddress.unix(path: path)): \(reason)")
    }

    /// Returns the reason why there is no socket, as half a sentence.
    /// - Parameter access: the owner and mode that were asked for.
    static func reason(unixSocketAt path: String, access: UnixSocketAccess, _ error: SystemError) -> String {
        let address = SocketAddress.unix(path: path)
        let folder = path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex)
        return switch (error.call, error.code) {
        case ("getpwnam", _): "there is no user '\(access.owner ?? "")' in \(SystemAccounts.users)"
        case ("getgrnam", _): "there is no group '\(access.group ?? "")' in \(SystemAccounts.groups)"
        case ("chown", EPERM):
            "this user may not give the file to somebody else; that takes root or CAP_CHOWN, or for a group to be in it"
        case (_, EADDRINUSE): Self.obstacle(at: path, address)
        case (_, EACCES): "permission denied; it takes the right to write to the folder"
        case ("bind", ENOENT): "there is no folder \(folder)"
        default: error.reason
        }
    }

    /// Returns what stands where a socket was wanted: a process that listens, or a file of another kind.
    private static func obstacle(at path: String, _ address: SocketAddress) -> String {
        var status = stat()
        if !address.isAbstract, lstat(path, &status) == 0, status.st_mode & S_IFMT != S_IFSOCK {
            return "\(kind(of: status)) is in the way; it stays as it is"
        }
        guard let visitor = try? Socket(toReach: address), visitor.connect(to: address) == .connected,
            let holder = visitor.peerCredentials
        else { return "somebody else has a socket there" }
        guard holder.process > 0 else { return "a process that this one may not see listens there" }
        return "\(ProcessDescription(of: Int(holder.process))) listens there"
    }

    private static func kind(of status: stat) -> String {
        switch status.st_mode & S_IFMT {
        case S_IFREG: "a plain file"
        case S_IFLNK: "a symbolic link"
        case S_IFDIR: "a folder"
        case S_IFIFO: "a named pipe"
        default: "a file that is no socket"
        }
    }
}

internal import CLinux
internal import Glibc

/// The process at the other end of a Unix socket (unix(7), SO_PEERCRED).
public struct PeerCredentials: Hashable, Sendable {
    /// The process's id; 0 for one that this namespace of processes does not see.
    public let process: Int32
    /// The user's id.
    public let user: UInt32

    public init(process: Int32, user: UInt32) {
        self.process = process
        self.user = user
    }
}

extension Socket {
    /// The process that connected, or that listens where this one has connected to; nil where it is no Unix socket.
    public var peerCredentials: PeerCredentials? {
        var process = pid_t()
        var user = uid_t()
        // A socket of another family has a peer that is nobody.
        guard clinux_peer_credentials(number, &process, &user) == 0, user != .max else { return nil }
        return PeerCredentials(process: process, user: user)
    }
}

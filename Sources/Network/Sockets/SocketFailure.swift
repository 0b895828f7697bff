internal import EventLoop
internal import Glibc

/// Why a socket's bytes go no further.
public enum SocketFailure: Error, Hashable, Sendable {
    /// The kernel's error (errno(3)), usually ECONNRESET.
    case system(CInt)
    /// The connection has ended, but not the stream of the ``SocketLayer`` in it: it is cut off.
    case cutOff
    /// The peer did not keep to the layer's protocol, or says so of this side.
    case violation
    /// There is no memory for bytes that would have to wait.
    case outOfMemory

    /// The peer has reset the connection (ECONNRESET).
    public static let reset = SocketFailure.system(ECONNRESET)

    /// The errno that says the same, or nearly.
    public var code: CInt {
        switch self {
        case .system(let code): code
        case .cutOff: ECONNRESET
        case .violation: EPROTO
        case .outOfMemory: ENOMEM
        }
    }

    /// A few words for the log: `Connection reset by peer`.
    public var reason: String {
        switch self {
        case .cutOff: "the stream was cut off"
        case .system, .violation, .outOfMemory: SystemError("", code: code).reason
        }
    }
}

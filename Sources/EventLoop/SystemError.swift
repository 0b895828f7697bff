internal import Glibc

/// A system call that failed: which one, and why (errno(3)).
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The call, as its man page names it.
    public let call: String
    /// The value of errno.
    public let code: CInt

    /// - Parameter code: the errno of the failure; nil takes the calling thread's present one.
    public init(_ call: String, code: CInt? = nil) {
        self.code = code ?? errno
        self.call = call
    }

    /// The system's words for the error: `Address already in use`.
    public var reason: String { String(cString: strerror(code)) }

    public var description: String { "\(call): \(reason)" }
}

internal import CLibevent
internal import Glibc

/// Messages of libevent, from whichever loop: system calls that fail where it expected none to. Without a receiver it writes
/// to standard error by itself.
public enum LoopMessages {
    public enum Severity: Sendable {
        case debug
        case message
        case warning
        case error
    }

    public typealias Receiver = @Sendable (Severity, String) -> Void

    private static let receiver = Guarded<Receiver?>(nil)

    /// Has everything said to `receiver` from now on, on the thread of the loop that says it. The latest one counts.
    public static func send(to receiver: @escaping Receiver) {
        Self.receiver.withLock { $0 = receiver }
        event_set_log_callback { severity, text in
            // What has failed is told to the caller by errno.
            let code = errno
            defer { errno = code }
            guard let text, let receiver = LoopMessages.receiver.withLock({ $0 }) else { return }
            receiver(Severity(severity), String(cString: text))
        }
    }
}

extension LoopMessages.Severity {
    fileprivate init(_ number: CInt) {
        self =
            switch number {
            case EVENT_LOG_DEBUG: .debug
            case EVENT_LOG_MSG: .message
            case EVENT_LOG_WARN: .warning
            default: .error
            }
    }
}

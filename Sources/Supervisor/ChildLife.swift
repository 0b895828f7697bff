internal import CLinux
internal import EventLoop
internal import Glibc

/// Tells at any moment whether the child lives. Callable from every thread.
public final class ChildLife: Sendable {
    public enum Moment: Equatable, Sendable {
        /// The child runs, or nothing else is known: before its start, and where there is no /proc.
        case lives
        /// The child is ending: connections that have just been closed may have been closed by its death. How it ends is
        /// known within milliseconds.
        case isEnding
        case hasEnded(ProcessEnd)
    }

    private enum State {
        case notStarted
        case started(pid_t)
        case ended(ProcessEnd)
    }

    private let state = Guarded(State.notStarted)

    func start(_ child: pid_t) { state.withLock { $0 = .started(child) } }

    func end(_ end: ProcessEnd) { state.withLock { $0 = .ended(end) } }

    /// Looks at the child; takes four system calls while it lives, none before its start and after its end.
    public var now: Moment {
        switch state.withLock({ $0 }) {
        case .notStarted: return .lives
        case .ended(let end): return .hasEnded(end)
        case .started(let child):
            var status: CInt = 0
            switch clinux_peek_at_child(child, &status) {
            case 0: return clinux_is_ending(child) ? .isEnding : .lives
            case 1: return .hasEnded(ProcessEnd(waitStatus: status))
            // It has been waited for just now, and its end is about to be noted.
            default: return .isEnding
            }
        }
    }
}

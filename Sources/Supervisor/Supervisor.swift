internal import CLinux
public import EventLoop
internal import Glibc

/// Runs the app as a child, and does for it what an init does: reaps orphans, forwards signals, hands over the terminal, and
/// tells how the child ended.
///
/// Works as PID 1, and as a subreaper elsewhere (prctl(2), PR_SET_CHILD_SUBREAPER), so that the child's own children come
/// here when they are left behind. Belongs to its loop's thread.
public final class Supervisor {
    private enum State {
        case notStarted
        case running(pid_t)
        case ended
    }

    private let loop: EventLoop
    private var state = State.notStarted
    private let inherited = InheritedSignals()
    private var signals: [SignalEvent] = []
    private var killTimer: Deadline?
    private var isTerminating = false

    /// Tells whether the child lives, on every thread.
    public let life = ChildLife()

    /// Called on SIGTERM, which is not forwarded: the owner ends the child with ``terminate(killAfter:)`` when the time has
    /// come.
    public var onTerminationRequest: (() -> Void)?
    /// Called once, when the child has ended.
    public var onChildEnd: ((ProcessEnd) -> Void)?

    /// Takes over the signals that are to be forwarded.
    /// - Throws: ``SystemError`` when one of them cannot be had.
    public init(on loop: EventLoop) throws(SystemError) {
        self.loop = loop
        // The timer and the signals end with this, and so do their calls.
        killTimer = try Deadline(on: loop) { [unowned self] _ in send(SIGKILL) }
        InheritedSignals.unblockAll()
        // A process in the background must not be stopped for writing its log to the terminal.
        signal(SIGTTIN, SIG_IGN)
        signal(SIGTTOU, SIG_IGN)
        signals.append(try SignalEvent(SIGCHLD, on: loop) { [unowned self] in reap() })
        signals.append(try SignalEvent(SIGTERM, on: loop) { [unowned self] in onTerminationRequest?() })
        for number in Self.forwardedSignals {
            signals.append(try SignalEvent(number, on: loop) { [unowned self] in send(number) })
        }
        if getpid() != 1 { _ = clinux_become_subreaper() }
    }

    /// The signals that are forwarded: all but those that cannot be caught, that tell of this process's own faults or
    /// children, and that glibc keeps to itself (32 and 33, nptl(7)).
    private static let forwardedSignals: [CInt] = (1...64).filter { number in
        ![
            SIGKILL, SIGSTOP, SIGCHLD, SIGTERM, SIGPIPE, SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS,
            SIGTTIN, SIGTTOU, 32, 33,
        ].contains(number)
    }

    /// Starts the command.
    /// - Returns: its process id.
    /// - Throws: ``CommandNotStarted``.
    @discardableResult
    public func start(_ command: [String]) throws(CommandNotStarted) -> Int {
        let child = try ChildProcess.start(command, signals: inherited)
        state = .running(child)
        life.start(child)
        return Int(child)
    }

    /// Ends the child: SIGTERM now, and SIGKILL if it is still there `limit` after the first of these calls.
    public func terminate(killAfter limit: Duration) {
        guard case .running = state else { return }
        send(SIGTERM)
        guard !isTerminating else { return }
        isTerminating = true
        killTimer?.schedule(after: limit)
    }

    private func send(_ signal: CInt) {
        // Not yet reaped, so the id is still this child's.
        if case .running(let child) = state { kill(child, signal) }
    }

    /// Reaps all processes that have ended: signals of one kind merge, so that one may tell of many.
    private func reap() {
        while true {
            var status: CInt = 0
            let process = waitpid(-1, &status, WNOHANG)
            guard process > 0 else {
                if process < 0, errno == EINTR { continue }
                return
            }
            guard case .running(process) = state else { continue }
            state = .ended
            killTimer?.cancel()
            let end = ProcessEnd(waitStatus: status)
            life.end(end)
            onChildEnd?(end)
        }
    }
}

import CKernel
import Glibc
import Synchronization

/// Every process that was started and every namespace that was made, so that all of it ends with the comparison,
/// however that ends: at its end, on a failure, or on a signal.
///
/// Safe to use from any thread.
public enum ProcessRegistry {
    private struct State {
        var isClosed = false
        var groups: Set<pid_t> = []
        var cleanups: [@Sendable () -> Void] = []
    }

    private static let state = Mutex(State())

    /// Runs `start`, which returns the leader of a new process group, unless everything is being ended.
    static func register(_ start: () throws -> pid_t) throws -> pid_t {
        try state.withLock { state in
            guard !state.isClosed else { throw Failure("interrupted") }
            let group = try start()
            state.groups.insert(group)
            return group
        }
    }

    /// The group has ended, and its number may soon be somebody else's.
    static func unregister(_ group: pid_t) {
        state.withLock { _ = $0.groups.remove(group) }
    }

    /// What `closeAll` does after the processes were ended; the last one registered goes first.
    static func onClose(_ cleanup: @escaping @Sendable () -> Void) {
        state.withLock { $0.cleanups.append(cleanup) }
    }

    /// Whether everything is being ended: what fails from now on fails because of that.
    public static var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Ends all processes and removes all namespaces. Nothing can be started afterwards.
    public static func closeAll() {
        let cleanups = state.withLock { state in
            state.isClosed = true
            for group in state.groups { kill(-group, SIGKILL) }
            state.groups = []
            defer { state.cleanups = [] }
            return state.cleanups
        }
        for cleanup in cleanups.reversed() { cleanup() }
    }

    /// Makes SIGINT, SIGTERM and SIGHUP end everything and then this process, with 128 + the signal.
    ///
    /// Must be called first, while there is one thread: the others inherit that these signals are blocked.
    public static func closeAllOnSignals() throws {
        // What a proxy forked outlives it as our child, where it can be seen and ended.
        _ = adopt_orphans()
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, signal) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        var thread = pthread_t()
        let error = pthread_create(
            &thread, nil,
            { _ in
                var signals = sigset_t()
                sigemptyset(&signals)
                for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, signal) }
                var signal: Int32 = 0
                sigwait(&signals, &signal)
                ProcessRegistry.closeAll()
                Glibc.exit(128 + signal)
            }, nil)
        guard error == 0 else { throw Failure("cannot start a thread: \(String(cString: strerror(error)))") }
    }
}

internal import CLinux
internal import Glibc

/// Lets the process's signals through or holds them back, besides those for which there is a ``SignalEvent``.
///
/// They are the business of the thread that started the process, which the others leave them to (``Thread``).
public enum ProcessSignals {
    /// Has each of these signals end the process at once, in good order: for a start that has nothing to finish yet.
    public static func exitCleanly(on signals: [CInt]) {
        for number in signals { signal(number) { _ in _exit(0) } }
    }

    /// Has these signals do nothing.
    public static func ignore(_ signals: [CInt]) {
        for number in signals { signal(number, SIG_IGN) }
    }

    /// Lets signals through to the calling thread, whatever whoever started the process has blocked.
    public static func letThrough() {
        var none = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, nil)
    }

    /// Keeps signals from the calling thread from now on: for an end whose exit code is decided, and that a further signal is
    /// not to change.
    public static func holdBack() {
        _ = withAllBlocked
    }

    /// Runs `body` while all signals are blocked: a thread that it starts has them blocked for good.
    static func blocked<Result>(_ body: () -> Result) -> Result {
        let before = withAllBlocked
        defer {
            var before = before
            pthread_sigmask(SIG_SETMASK, &before, nil)
        }
        return body()
    }

    /// Blocks all but those that tell of a fault of the thread's own.
    /// - Returns: what was blocked before.
    private static var withAllBlocked: sigset_t {
        var signals = sigset_t()
        var before = sigset_t()
        sigfillset(&signals)
        for fault in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT] {
            clinux_remove_signal(&signals, fault)
        }
        pthread_sigmask(SIG_SETMASK, &signals, &before)
        return before
    }
}

internal import CLinux
internal import Glibc

/// How whoever started this process has set its signals: the app is to find them so too. `nohup` is one who does.
struct InheritedSignals {
    /// The blocked ones.
    let mask: sigset_t
    /// The ignored ones, but for SIGCHLD: who ignores that is not told how children end.
    let ignored: [CInt]

    /// Reads the settings: to be called before the calling thread's mask is changed.
    init() {
        var mask = sigset_t()
        pthread_sigmask(SIG_BLOCK, nil, &mask)
        self.mask = mask
        let ignored = clinux_start().ignored_signals
        self.ignored = (1...64).filter { $0 != SIGCHLD && ignored & 1 << UInt64($0 - 1) != 0 }
    }

    /// Ignores the signals during `body`, which starts a process: it inherits that, whereas it does not inherit that a
    /// signal is caught.
    func withIgnored<Result>(_ body: () -> Result) -> Result {
        var caught: [(CInt, sigaction)] = []
        for number in ignored {
            var action = sigaction()
            sigaction(number, nil, &action)
            caught.append((number, action))
            signal(number, SIG_IGN)
        }
        defer {
            for (number, action) in caught {
                var action = action
                sigaction(number, &action, nil)
            }
        }
        return body()
    }

    /// Blocks no signal in the calling thread, and those that it starts: this process waits for them.
    static func unblockAll() {
        var none = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, nil)
    }
}

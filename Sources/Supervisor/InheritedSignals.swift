internal import CLinux
internal import Glibc

/// The settings of signals that this process was started with, as `nohup` makes them: the app is to find the same.
struct InheritedSignals {
    /// The signals that were blocked.
    let mask: sigset_t
    /// The signals that were ignored, without SIGCHLD: a process that ignores it is not told how its children end.
    let ignored: [CInt]

    /// Reads the settings: to be called before the calling thread's mask is changed.
    init() {
        var mask = sigset_t()
        pthread_sigmask(SIG_BLOCK, nil, &mask)
        self.mask = mask
        let ignored = clinux_start().ignored_signals
        self.ignored = (1...64).filter { $0 != SIGCHLD && ignored & 1 << UInt64($0 - 1) != 0 }
    }

    /// Ignores the signals during `body`, which starts a process: it inherits an ignored signal, but not a caught one.
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

    /// Unblocks all signals in the calling thread and in those that it starts: this process waits for them.
    static func unblockAll() {
        var none = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, nil)
    }
}

internal import CLinux
internal import Glibc

/// What the system allows this process, and the few settings of the process as a whole.
public enum ProcessLimits {
    /// Opens /dev/null in place of whatever standard descriptor is closed, so that no connection gets its number
    /// and reads what was meant for a person.
    public static func openStandardDescriptors() {
        while true {
            let number = open("/dev/null", O_RDWR)
            guard 0...2 ~= number else {
                if number > 2 { close(number) }
                return
            }
        }
    }

    /// Raises the limit of open files as far as an unprivileged process may (setrlimit(2)).
    /// - Returns: the limit from now on.
    static func raiseOpenFiles() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        if limit.rlim_cur < limit.rlim_max {
            var raised = rlimit(rlim_cur: limit.rlim_max, rlim_max: limit.rlim_max)
            if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
        }
        return Int(clamping: limit.rlim_cur)
    }

    /// Has the allocator give large blocks back to the system at once, whatever sizes it has seen so far: parked
    /// bytes come and go (mallopt(3), M_MMAP_THRESHOLD turns its own adjusting off).
    static func returnLargeBlocksAtOnce() {
        mallopt(M_MMAP_THRESHOLD, 128 << 10)
        mallopt(M_TRIM_THRESHOLD, 128 << 10)
    }

    /// Writing to a connection or a pipe that nobody reads is an error to be handled, not the end of the process.
    static func ignoreBrokenPipes() {
        signal(SIGPIPE, SIG_IGN)
    }
}

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

    /// How many files this process may have open at present (getrlimit(2)).
    public static var openFiles: Int {
        get {
            var limit = rlimit()
            guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
            return Int(clamping: limit.rlim_cur)
        }
        set {
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            limit.rlim_cur = min(rlim_t(newValue), limit.rlim_max)
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
    }

    /// Raises the limit of open files as far as an unprivileged process may.
    /// - Returns: the limit from now on.
    static func raiseOpenFiles() -> Int {
        openFiles = .max
        return openFiles
    }

    /// Does something under another limit of open files: starting an app, say, that was never meant to have more
    /// than it used to.
    public static func withOpenFiles<Result, Failure: Error>(
        _ limit: Int, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let before = openFiles
        openFiles = limit
        defer { openFiles = before }
        return try body()
    }

    /// Has the allocator give large blocks back to the system at once, whatever sizes it has seen so far: parked
    /// bytes come and go (mallopt(3), M_MMAP_THRESHOLD turns its own adjusting off).
    static func returnLargeBlocksAtOnce() {
        mallopt(M_MMAP_THRESHOLD, 128 << 10)
        mallopt(M_TRIM_THRESHOLD, 128 << 10)
    }

    /// Gives back to the system what the allocator keeps and nobody uses (malloc_trim(3)).
    static func returnFreeMemory() {
        malloc_trim(0)
    }

    /// Has all threads allocate from one place (mallopt(3), M_ARENA_MAX): each place of its own takes 64 MiB of addresses.
    static func spareAddresses() {
        mallopt(M_ARENA_MAX, 1)
    }

    /// No core dump and no other process of the same user gets at this one's memory, where keys are (PR_SET_DUMPABLE,
    /// prctl(2)). What it starts is as it would be otherwise.
    static func keepMemoryPrivate() {
        clinux_forbid_dumps()
    }

    /// Writing to a connection or a pipe that nobody reads is an error to be handled, not the end of the process.
    static func ignoreBrokenPipes() {
        signal(SIGPIPE, SIG_IGN)
    }
}

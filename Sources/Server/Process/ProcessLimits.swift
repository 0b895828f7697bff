internal import CLinux
internal import Glibc

/// The limits of this process, and the settings that hold for the process as a whole.
public enum ProcessLimits {
    /// Opens /dev/null in place of each standard descriptor that is closed, so that no connection gets its number and the text
    /// that was meant for a person.
    public static func openStandardDescriptors() {
        while true {
            let number = open("/dev/null", O_RDWR)
            guard 0...2 ~= number else {
                if number > 2 { close(number) }
                return
            }
        }
    }

    /// The number of files that this process may have open at present (getrlimit(2)).
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

    /// Does something under another limit of open files: starts an app, say, under the limit that it would have without us.
    public static func withOpenFiles<Result, Failure: Error>(
        _ limit: Int, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let before = openFiles
        openFiles = limit
        defer { openFiles = before }
        return try body()
    }

    /// Has the allocator give large blocks back to the system at once, since parked bytes come and go. Setting M_MMAP_THRESHOLD
    /// turns off its own adjusting to the sizes that it has seen (mallopt(3)).
    static func returnLargeBlocksAtOnce() {
        mallopt(M_MMAP_THRESHOLD, 128 << 10)
        mallopt(M_TRIM_THRESHOLD, 128 << 10)
    }

    /// Gives free memory that the allocator keeps back to the system (malloc_trim(3)).
    static func returnFreeMemory() {
        malloc_trim(0)
    }

    /// Has all threads allocate from one arena (mallopt(3), M_ARENA_MAX): each further one takes 64 MiB of addresses.
    static func spareAddresses() {
        mallopt(M_ARENA_MAX, 1)
    }

    /// Keeps core dumps and other processes of the same user from this one's memory, where keys are (PR_SET_DUMPABLE, prctl(2)).
    /// Processes that it starts are not affected.
    static func keepMemoryPrivate() {
        clinux_forbid_dumps()
    }

    /// Makes writing to a connection or a pipe that nobody reads an error (EPIPE), in place of the end of the process.
    static func ignoreBrokenPipes() {
        signal(SIGPIPE, SIG_IGN)
    }
}

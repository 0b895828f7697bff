internal import Discovery
internal import EventLoop
internal import Glibc
internal import Observability

extension ProcessUsage {
    /// The usage of this process at this moment; zero for what only /proc tells, where there is none.
    static var current: ProcessUsage {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        // proc(5): the whole size and the resident part, in pages.
        let pages = (Descriptor.contents(of: "/proc/self/statm") ?? "").split(separator: " ").prefix(2).map {
            UInt64($0) ?? 0
        }
        let pageSize = UInt64(sysconf(CInt(_SC_PAGESIZE)))
        return ProcessUsage(
            cpuSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime),
            residentBytes: pages.count == 2 ? pages[1] * pageSize : 0, virtualBytes: (pages.first ?? 0) * pageSize,
            openDescriptors: openDescriptors, maxDescriptors: ProcessLimits.openFiles,
            threads: ProcFileSystem.names(in: "/proc/self/task").count)
    }

    private static func seconds(_ time: timeval) -> Double {
        Double(time.tv_sec) + Double(time.tv_usec) / 1_000_000
    }

    private static var openDescriptors: Int {
        let folder = "/proc/self/fd"
        // Since Linux 6.2 the folder's size is the number of descriptors; to list thousands of names takes milliseconds.
        var status = stat()
        if stat(folder, &status) == 0, status.st_size > 0 { return Int(status.st_size) }
        // One of them is there for the listing alone.
        return max(ProcFileSystem.names(in: folder).count - 1, 0)
    }
}

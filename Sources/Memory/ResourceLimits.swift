internal import CLinux
internal import Glibc

/// The limits of memory of the process itself: RLIMIT_AS and RLIMIT_DATA (getrlimit(2)), and its configuration's.
struct ResourceLimits {
    /// In bytes; nil where there is none.
    var addressSpace: Int?
    var data: Int?
    /// What this process may use by its configuration.
    var ceiling: Int?

    /// Readings of each limit that is set.
    /// - Parameters:
    ///   - statm: the contents of /proc/self/statm (proc(5)); without it nothing can be known.
    ///   - free: the bytes that the allocator has got from the kernel and nobody uses; asked for only where little is left.
    func readings(statm: String?, pageSize: Int, free: () -> Int) -> [MemoryReading] {
        let pages = (statm ?? "").split(whereSeparator: \.isWhitespace).map { Int($0) ?? 0 }
        guard pages.count >= 6 else { return [] }
        // Resident, without what is shared with files: what the allocator gives back shows here.
        let own = ceiling.map { MemoryReading(.setting, limit: $0, used: max(pages[1] - pages[2], 0) * pageSize) }
        return kernelsReadings(pages, pageSize, free) + [own].compactMap(\.self)
    }

    private func kernelsReadings(_ pages: [Int], _ pageSize: Int, _ free: () -> Int) -> [MemoryReading] {
        var readings: [MemoryReading] = []
        if let addressSpace {
            readings.append(MemoryReading(.addressSpace, limit: addressSpace, used: pages[0] * pageSize))
        }
        if let data { readings.append(MemoryReading(.data, limit: data, used: pages[5] * pageSize)) }
        guard readings.contains(where: { $0.spare < $0.limit / 2 }) else { return readings }
        // After a crowd the allocator keeps its memory, in pieces, of which not every one fits.
        let useful = free() / 2
        return readings.map { MemoryReading($0.source, limit: $0.limit, used: max($0.used - useful, 0)) }
    }

    /// Those of this process now.
    static var current: ResourceLimits {
        ResourceLimits(
            addressSpace: limit(__rlimit_resource_t(RLIMIT_AS.rawValue)),
            data: limit(__rlimit_resource_t(RLIMIT_DATA.rawValue)))
    }

    private static func limit(_ resource: __rlimit_resource_t) -> Int? {
        var limit = rlimit()
        // The kernel's word for "none" is all ones.
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < rlim_t(1) << 60 else { return nil }
        return Int(limit.rlim_cur)
    }

    /// The bytes that the allocator has and nobody uses (mallinfo2(3)).
    static var freeInAllocator: Int { Int(clamping: mallinfo2().fordblks) }
}

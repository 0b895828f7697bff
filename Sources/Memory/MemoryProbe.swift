internal import EventLoop
internal import Glibc

/// Finds the limit of memory that is nearest, among those of the cgroups, those of the process and one that was set.
public enum MemoryProbe {
    /// The reading of that limit now; nil where no limit is set, or nothing tells of one. Reads some ten of the
    /// kernel's files, which takes some ten microseconds.
    /// - Parameter ceiling: the bytes that this process may use at the most; nil where nobody has set any.
    public static func read(ceiling: Int? = nil) -> MemoryReading? {
        let groups = ControlGroups { Descriptor.contents(of: $0) }.readings()
        var limits = ResourceLimits.current
        limits.ceiling = ceiling
        let isLimited = limits.addressSpace != nil || limits.data != nil || ceiling != nil
        let own = limits.readings(
            statm: isLimited ? Descriptor.contents(of: "/proc/self/statm") : nil,
            pageSize: sysconf(CInt(_SC_PAGESIZE)), free: { ResourceLimits.freeInAllocator })
        return nearest(of: groups + own)
    }

    /// The one that gives out least.
    static func nearest(of readings: [MemoryReading]) -> MemoryReading? {
        readings.min { $0.spare < $1.spare }
    }
}

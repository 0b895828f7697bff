internal import EventLoop
internal import Glibc

/// Finds the limit of memory that is nearest, among those of the cgroups and those of the process.
public enum MemoryProbe {
    /// The reading of that limit now; nil where no limit is set, or nothing tells of one. Reads some ten of the
    /// kernel's files, which takes some ten microseconds.
    public static func read() -> MemoryReading? {
        let groups = ControlGroups { Descriptor.contents(of: $0) }.readings()
        let limits = ResourceLimits.current
        let isLimited = limits.addressSpace != nil || limits.data != nil
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

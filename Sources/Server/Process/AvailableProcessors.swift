internal import CLinux
internal import EventLoop

/// The number of processors that this process may use, by its affinity and its cgroup's quota.
enum AvailableProcessors {
    static var count: Int {
        let affinity = max(1, Int(clinux_affinity_count()))
        guard let quota = cgroupQuota() else { return affinity }
        return min(affinity, max(1, Int(quota.rounded(.up))))
    }

    /// Returns the quota in processors, from cgroup v2's cpu.max or v1's cpu.cfs_quota_us, as a container sees its own cgroup
    /// (Documentation/admin-guide/cgroup-v2.rst).
    private static func cgroupQuota() -> Double? {
        if let line = Descriptor.contents(of: "/sys/fs/cgroup/cpu.max") {
            let fields = line.split(whereSeparator: \.isWhitespace).map(String.init)
            guard fields.count == 2, let quota = Double(fields[0]), let period = Double(fields[1]), period > 0
            else { return nil }
            return quota / period
        }
        func number(_ name: String) -> Double? {
            Descriptor.contents(of: "/sys/fs/cgroup/cpu/\(name)")?.split(whereSeparator: \.isWhitespace).first
                .flatMap { Double(String($0)) }
        }
        guard let quota = number("cpu.cfs_quota_us"), quota > 0, let period = number("cpu.cfs_period_us"), period > 0
        else { return nil }
        return quota / period
    }
}

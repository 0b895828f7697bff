/// How much memory this process may use by one of its limits, and how much of that is used, at one moment.
public struct MemoryReading: Sendable, Equatable {
    /// What the limit is one of.
    public enum Source: String, Sendable, CaseIterable {
        /// The container's, or whatever cgroup the process is in: what else lives there counts too.
        case cgroup
        /// RLIMIT_AS of the process (getrlimit(2)).
        case addressSpace = "address_space"
        /// RLIMIT_DATA of the process (getrlimit(2)).
        case data
        /// One that somebody has set for this process alone, without what the kernel holds for it.
        case setting
    }

    public var source: Source
    /// In bytes.
    public var limit: Int
    /// In bytes, without what the kernel gives back by itself before anybody fails, such as files that it keeps in memory.
    public var used: Int
    /// What the kernel holds for sockets counts too.
    public var includesSockets: Bool

    public init(_ source: Source, limit: Int, used: Int, includesSockets: Bool = false) {
        self.source = source
        self.limit = limit
        self.used = used
        self.includesSockets = includesSockets
    }

    /// What is left, in bytes; less than nothing where the limit was lowered under what is used.
    public var room: Int { limit - used }

    /// What must stay free, in bytes: for all that is allocated without being asked about, which ends the process if it fails.
    public var reserve: Int { min(max(limit / 8, 4 << 20), 64 << 20) }

    /// What may be given out, in bytes; less than nothing where the reserve is being used.
    public var spare: Int { room - reserve }
}

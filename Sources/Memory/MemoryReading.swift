/// One of the limits on this process's memory, and how much of it is used, at one moment.
public struct MemoryReading: Sendable, Equatable {
    /// The kinds of limits.
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
    /// A control group's: memory that the kernel holds for sockets counts too.
    public var includesSockets: Bool

    public init(_ source: Source, limit: Int, used: Int, includesSockets: Bool = false) {
        self.source = source
        self.limit = limit
        self.used = used
        self.includesSockets = includesSockets
    }

    /// The bytes that are left; negative where the limit was lowered under what is used.
    public var room: Int { limit - used }

    /// The bytes that must stay free: for all that is allocated without being asked about, which ends the process if it fails.
    public var reserve: Int { min(max(limit / 8, 4 << 20), 64 << 20) }

    /// The bytes that may be given out; negative where the reserve is being used.
    public var spare: Int { room - reserve }
}

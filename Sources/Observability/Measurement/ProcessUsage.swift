/// The resources that the process uses (proc(5), getrusage(2)).
public struct ProcessUsage: Sendable, Equatable {
    /// User and system time, in seconds.
    public var cpuSeconds: Double
    public var residentBytes: UInt64
    public var virtualBytes: UInt64
    public var openDescriptors: Int
    public var maxDescriptors: Int
    public var threads: Int

    public init(
        cpuSeconds: Double, residentBytes: UInt64, virtualBytes: UInt64, openDescriptors: Int, maxDescriptors: Int,
        threads: Int
    ) {
        self.cpuSeconds = cpuSeconds
        self.residentBytes = residentBytes
        self.virtualBytes = virtualBytes
        self.openDescriptors = openDescriptors
        self.maxDescriptors = maxDescriptors
        self.threads = threads
    }
}

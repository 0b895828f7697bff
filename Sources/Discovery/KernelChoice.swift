internal import Network

/// Tells ports that the kernel has chosen for sockets that asked for any (ip(7)) from ports that people have chosen.
///
/// The kernel does not tell which is which. A port within the ephemeral range counts as the kernel's choice unless its
/// number is well known, was named by a person, or would not have been given by the kernel: it gives listeners only every
/// second port, and leaves the others to connections while there is a free one (inet_csk_find_open_port in Linux since 4.2).
public struct KernelChoice: Sendable {
    private let range: ClosedRange<UInt16>
    private let givesEverySecond: Bool
    private let said: Set<UInt16>

    /// - Parameters:
    ///   - range: the ephemeral ports.
    ///   - givesEverySecond: whether this kernel gives sockets that listen the second, the fourth and so on only.
    ///   - said: the numbers that the app's command line and environment have.
    init(range: ClosedRange<UInt16>, givesEverySecond: Bool, said: Set<UInt16> = []) {
        self.range = range
        self.givesEverySecond = givesEverySecond
        self.said = said
    }

    /// Goes by the range and the version of the running kernel.
    /// - Parameter said: the numbers that the app's command line and environment have.
    public init(said: Set<UInt16>) {
        self.init(range: EphemeralPorts.range, givesEverySecond: EphemeralPorts.givesEverySecond, said: said)
    }

    /// Whether the kernel seems to have chosen this port, so that nobody can have published it.
    public func covers(_ port: UInt16) -> Bool {
        guard range.contains(port), port >= Self.leastChosen else { return false }
        if givesEverySecond, (port - range.lowerBound).isMultiple(of: 2) { return false }
        return !said.contains(port) && !Self.published.contains(port)
    }

    /// The lowest port that counts as the kernel's: a range that has been widened covers numbers of four digits, which
    /// people choose.
    private static let leastChosen: UInt16 = 10_000

    /// Ports within usual ranges that people publish: gRPC's and the ones beside it, LiveReload, MySQL's X protocol; and
    /// within wider ranges Ollama, memcached, RabbitMQ, Expo, Vite, Minecraft and MongoDB.
    private static let published: Set<UInt16> = [
        11211, 11434, 15672, 18080, 19000, 24678, 25565, 27017, 33060, 35729, 50000, 50051, 50052, 50053, 50054, 50055,
        54321,
    ]
}

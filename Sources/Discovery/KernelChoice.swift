internal import Network

/// Tells the ports that the kernel has chosen for sockets that asked for any (ip(7)) from those that somebody has published.
///
/// The kernel does not tell. So this goes by what is known of each: a port within the ephemeral range is the kernel's unless its number
/// is well known, or somebody has said it, or the kernel would not have given it. It gives such sockets only every second
/// port, and leaves the others to connections while there is a free one (inet_csk_find_open_port in Linux since 4.2).
public struct KernelChoice: Sendable {
    private let range: ClosedRange<UInt16>
    private let givesEverySecond: Bool
    private let said: Set<UInt16>

    /// - Parameters:
    ///   - range: the ephemeral ports.
    ///   - givesEverySecond: whether this kernel gives sockets that listen the second, the fourth and so on only.
    ///   - said: the numbers that whoever started the app has said.
    init(range: ClosedRange<UInt16>, givesEverySecond: Bool, said: Set<UInt16> = []) {
        self.range = range
        self.givesEverySecond = givesEverySecond
        self.said = said
    }

    /// As this kernel does it.
    /// - Parameter said: the numbers that whoever started the app has said.
    public init(said: Set<UInt16>) {
        self.init(range: EphemeralPorts.range, givesEverySecond: EphemeralPorts.givesEverySecond, said: said)
    }

    /// Whether the kernel seems to have chosen this port, so that nobody can have published it.
    public func covers(_ port: UInt16) -> Bool {
        guard range.contains(port), port >= Self.leastChosen else { return false }
        if givesEverySecond, (port - range.lowerBound).isMultiple(of: 2) { return false }
        return !said.contains(port) && !Self.published.contains(port)
    }

    /// Where a system's range has been widened, it covers the numbers that people choose: those of four digits are theirs.
    private static let leastChosen: UInt16 = 10_000

    /// Numbers in usual ranges that are published: gRPC's and the ones beside it, LiveReload, MySQL's X protocol; and in wider ones
    /// Ollama, memcached, RabbitMQ, Expo, Vite, Minecraft and MongoDB.
    private static let published: Set<UInt16> = [
        11211, 11434, 15672, 18080, 19000, 24678, 25565, 27017, 33060, 35729, 50000, 50051, 50052, 50053, 50054, 50055,
        54321,
    ]
}

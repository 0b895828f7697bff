internal import YAML

/// The limits of each client on a route (`per_client`). A client is an IPv4 address, or the /64 of an IPv6 address.
public struct ClientLimits: Settings, KeyedMapping {
    /// The most connections at a time; nil for any number.
    @Setting(
        .scalar(
            "max_connections", .limit(1...1_000_000), \Self.maxConnections, option: "client-connections",
            unit: "connections", help: "The most connections of each client at a time; further ones are reset.",
            example: "100"))
    public var maxConnections: Int? = nil

    /// The most new connections in a unit of time; nil for any number.
    @Setting(
        .scalar(
            "rate", .rate, \Self.rate, option: "client-rate",
            help: "The most new connections of each client in a second, minute or hour; further ones are reset.",
            example: "10/s"))
    public var rate: Rate? = nil

    /// The most new connections at once, after a time without any; nil for the rate's number.
    @Setting(
        .scalar(
            "burst", .burst, \Self.burst, unit: "connections",
            help: "The most new connections of each client at once; auto is the rate's number.", example: "50"))
    public var burst: Int? = nil

    public init() {}

    static let place = "in 'per_client'"
    static let keys = taggedKeys()
}

extension ValueKind<Int?> {
    private static let automatic = "auto"

    /// A number, or the one that fits.
    fileprivate static var burst: ValueKind {
        let range = 1...1_000_000
        return ValueKind(
            "auto or a number from \(range.lowerBound) to \(range.upperBound)",
            type: "`auto` or \(range.lowerBound) to \(range.upperBound)", placeholder: "auto|NUMBER",
            schemas: [.object([("const", .string(automatic))]), .integer(range)],
            suggest: { nearestName(to: $0.lowercased(), among: [automatic]) },
            parse: { text in
                if text == automatic { return .some(nil) }
                return wholeNumber(text).flatMap { range.contains($0) ? .some($0) : nil }
            }, write: { $0.map { "\($0)" } ?? automatic })
    }
}

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
            "burst", .automatic(.number(1...1_000_000)), \Self.burst, unit: "connections",
            help: "The most new connections of each client at once; auto is the rate's number.", example: "50"))
    public var burst: Int? = nil

    public init() {}

    static let place = "in 'per_client'"
    static let keys = taggedKeys()
}

internal import YAML

/// How many connections the app gets, and who may wait for one (`upstream_connections`).
public struct UpstreamConnections: Settings, KeyedMapping {
    /// How many there may be, over all workers; nil for any number.
    @Setting(
        .scalar(
            "max", .limit(1...1_000_000), \Self.max, option: "upstream-connections",
            unit: "connections",
            help: "How many connections the app may have at a time; further clients queue for one.", example: "4"))
    public var max: Int? = nil

    /// How many clients may wait for one.
    @Setting(
        .scalar(
            "queue", .number(0...1_000_000), \Self.queue, option: "queue", unit: "clients",
            help: "How many clients may wait for one of the upstream connections.", example: "100"))
    public var queue: Int = 1000

    /// How long a client may wait for one.
    @Setting(
        .scalar(
            "queue_timeout", .duration(atLeast: .milliseconds(1)), \Self.queueTimeout, option: "queue-timeout",
            help: "How long a client may wait for one of the upstream connections.", example: "30s"))
    public var queueTimeout: Duration = .seconds(10)

    public init() {}

    static let place = "in 'upstream_connections'"
    static let keys = taggedKeys()
}

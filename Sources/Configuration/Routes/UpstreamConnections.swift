/// The limits on connections to the app, and the queue for them (`upstream_connections`).
public struct UpstreamConnections: Settings, KeyedMapping {
    /// The most connections at a time, over all workers; nil for any number.
    @Setting(
        .scalar(
            "max", .limit(1...1_000_000), \Self.max, option: "upstream-connections",
            unit: "connections",
            help: "The most connections to the app at a time; further clients queue for one.", example: "4"))
    public var max: Int? = nil

    /// The most clients in the queue.
    @Setting(
        .scalar(
            "queue", .number(0...1_000_000), \Self.queue, option: "queue", unit: "clients",
            help: "The most clients in the queue for a connection to the app; further ones are reset.", example: "100"))
    public var queue: Int = 1000

    /// The longest time that a client waits in the queue.
    @Setting(
        .scalar(
            "queue_timeout", .duration(atLeast: .milliseconds(1)), \Self.queueTimeout, option: "queue-timeout",
            help: "The longest time that a client waits in this queue.", example: "30s"))
    public var queueTimeout: Duration = .seconds(10)

    public init() {}

    static let place = "in 'upstream_connections'"
    static let keys = taggedKeys()
}

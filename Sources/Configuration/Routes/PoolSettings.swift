/// The connections to the app that are open while no client uses them (`pool`).
public struct PoolSettings: Settings, KeyedMapping {
    /// The number of connections that are opened ahead, over all workers.
    @Setting(
        .scalar(
            "spare", .number(0...10_000), \Self.spare, option: "spare", unit: "connections",
            help: "The number of connections to the app that are opened before a client needs them.", example: "8"))
    public var spare: Int = 0

    /// The most used connections that are kept for further requests, over all workers; only HTTP has such.
    @Setting(
        .scalar(
            "idle", .number(0...10_000), \Self.idle, unit: "connections",
            help: "The most connections to the app that are kept for further requests; only with protocol http.",
            example: "8"))
    public var idle: Int = 32

    /// The longest time that a used connection is kept.
    @Setting(
        .scalar(
            "idle_timeout", .duration(atLeast: .milliseconds(1)), \Self.idleTimeout,
            help: "The longest time that such a connection is kept; should be shorter than the app keeps it.",
            example: "50s"))
    public var idleTimeout: Duration = .seconds(4)

    /// The most requests on a connection; nil for any number.
    @Setting(
        .scalar(
            "max_requests", .limit(1...1_000_000_000), \Self.maxRequests, unit: "requests",
            help: "The most requests on a connection to the app; after them it is closed.", example: "1000"))
    public var maxRequests: Int? = nil

    public init() {}

    static let place = "in 'pool'"
    static let keys = taggedKeys()
}

internal import YAML

/// Which connections to the app are open while nobody uses them (`pool`).
public struct PoolSettings: Sendable, Equatable {
    /// How many are opened ahead, over all workers.
    public var spare: Int
    /// How many that were used are kept for further requests, over all workers; only HTTP has such.
    public var idle: Int
    /// For how long one is kept that was used.
    public var idleTimeout: Duration
    /// How many requests one may carry; nil for any number.
    public var maxRequests: Int?

    public init(spare: Int, idle: Int = 32, idleTimeout: Duration = .seconds(4), maxRequests: Int? = nil) {
        self.spare = spare
        self.idle = idle
        self.idleTimeout = idleTimeout
        self.maxRequests = maxRequests
    }
}

extension PoolSettings: KeyedMapping {
    public init() {
        self.init(spare: 0)
    }

    static let place = "in 'pool'"

    static let keys: [Key<PoolSettings>] = [
        .scalar(
            "spare", .number(0...10_000), \.spare, option: "spare", unit: "connections",
            help: "How many connections to the app are opened before a client needs them.", example: "8"),
        .scalar(
            "idle", .number(0...10_000), \.idle, unit: "connections",
            help: "How many connections to the app are kept for further requests; only with protocol http.",
            example: "8"),
        .scalar(
            "idle_timeout", .duration(atLeast: .milliseconds(1)), \.idleTimeout,
            help: "How long such a connection is kept; shorter than the app keeps it.", example: "50s"),
        .scalar(
            "max_requests", .limit(1...1_000_000_000), \.maxRequests, unit: "requests",
            help: "How many requests a connection to the app may carry before it is closed.", example: "1000"),
    ]
}

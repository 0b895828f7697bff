internal import YAML

/// How many connections the app gets, and who may wait for one (`upstream_connections`).
public struct UpstreamConnections: Sendable, Equatable {
    /// How many there may be, over all workers; nil for any number.
    public var max: Int?
    /// How many clients may wait for one.
    public var queue: Int
    /// How long a client may wait for one.
    public var queueTimeout: Duration

    public init(max: Int?, queue: Int = 1000, queueTimeout: Duration = .seconds(10)) {
        self.max = max
        self.queue = queue
        self.queueTimeout = queueTimeout
    }
}

extension UpstreamConnections: KeyedMapping {
    public init() {
        self.init(max: nil)
    }

    static let place = "in 'upstream_connections'"

    static let keys: [Key<UpstreamConnections>] = [
        .scalar(
            "max", .limit(1...1_000_000), \.max, option: "upstream-connections",
            unit: "connections",
            help: "How many connections the app may have at a time; further clients queue for one.", example: "4"),
        .scalar(
            "queue", .number(0...1_000_000), \.queue, option: "queue", unit: "clients",
            help: "How many clients may wait for one of the upstream connections.", example: "100"),
        .scalar(
            "queue_timeout", .duration(atLeast: .milliseconds(1)), \.queueTimeout, option: "queue-timeout",
            help: "How long a client may wait for one of the upstream connections.", example: "30s"),
    ]
}

internal import YAML

/// Which connections to the app are open while nobody uses them (`pool`).
public struct PoolSettings: Sendable, Equatable {
    /// How many are opened ahead, over all workers.
    public var spare: Int

    public init(spare: Int) {
        self.spare = spare
    }
}

extension PoolSettings: KeyedMapping {
    public init() {
        self.init(spare: 0)
    }

    static let place = "in 'pool'"

    static let keys: [Key<PoolSettings>] =
        [
            .scalar(
                "spare", .number(0...10_000), \.spare, option: "spare", unit: "connections",
                help: "How many connections to the app are opened before a client needs them.", example: "8")
        ] + ["idle", "idle_timeout", "max_requests"].map(Key.unsupported)
}

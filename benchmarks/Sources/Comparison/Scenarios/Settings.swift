/// How long and how often.
public struct Settings: Codable, Sendable, Equatable {
    /// How often every peer does every scenario.
    public var rounds = 3
    /// How long one timed measurement takes.
    public var seconds = 1
    /// How many bytes a bulk measurement carries, instead of taking `seconds`.
    public var bulkBytes: String?
    /// How many bytes go through before a bulk measurement.
    public var bulkWarmUp = "128M"
    /// How many requests before a measurement with requests.
    public var requestWarmUp = 2000
    /// How long a measurement with datagrams takes, instead of `seconds`, and what goes before it.
    public var datagramSeconds: Double?
    public var datagramWarmUp = 0.3
    /// Requests a second in the latency scenario.
    public var rate = 10_000
    /// How many connections idle.
    public var idleConnections = 5000
    /// How many requests are counted under strace, on kept connections, and on new ones or with medium answers.
    public var countedRequests = 4000
    public var countedConnections = 1000
    /// How many times a proxy is started in each round.
    public var starts = 5

    /// The names of the peers that do everything, where time is short: the others only show that they serve. All
    /// peers do everything if there is no such list.
    public var thoroughPeers: [String]?

    public init() {}

    func includes(_ scenario: Scenario, _ peer: Peer) -> Bool {
        guard peer.mode == scenario.mode, peer.role != .direct || scenario.includesDirect else { return false }
        return scenario.isForEveryone || thoroughPeers?.contains(peer.name) ?? true
    }

    /// Just enough to see that everything works.
    public static var quick: Settings {
        var settings = Settings()
        settings.rounds = 1
        // With less, 64 streams can be through before iperf3 counts any of it.
        settings.bulkBytes = "256M"
        settings.bulkWarmUp = "16M"
        settings.requestWarmUp = 200
        settings.rate = 2000
        settings.datagramSeconds = 0.2
        settings.datagramWarmUp = 0.1
        settings.idleConnections = 300
        settings.countedRequests = 400
        settings.countedConnections = 100
        settings.starts = 1
        settings.thoroughPeers = ["direct", "limit", "loopbridge", "haproxy", "nginx", "socat"]
        return settings
    }
}

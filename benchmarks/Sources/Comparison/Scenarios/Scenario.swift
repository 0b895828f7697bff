/// What every peer has to do.
public enum Scenario: Hashable, Sendable {
    /// Which way the bytes go, seen from the client.
    public enum Direction: String, CaseIterable, Sendable {
        case download
        case upload
        /// Download and upload at once.
        case both

        var title: String {
            switch self {
            case .download: "Download"
            case .upload: "Upload"
            case .both: "Both ways at once"
            }
        }
    }

    /// As many bytes as will go, by iperf3.
    case bulk(Direction, streams: Int)
    /// Requests on connections that stay, as fast as they are answered, by wrk.
    case requests(connections: Int)
    /// Requests on 64 connections that stay, at a rate that is the same for all: what their latency is then.
    case latency
    /// A connection for each request, by wrk with 64 at once.
    case connections
    /// Thousands of connections that do nothing.
    case idle
    /// How long it takes from exec to the first byte served.
    case start

    /// All of them, in the order of the report.
    public static let all: [Scenario] =
        Direction.allCases.flatMap { direction in
            [1, 8, 64].map { .bulk(direction, streams: $0) }
        } + [.requests(connections: 1), .requests(connections: 64), .latency, .connections, .idle, .start]

    /// What is measured on loopback unless more is asked for: veth is what containers have, and time is short.
    public static let onLoopback: [Scenario] = [
        .bulk(.download, streams: 1), .bulk(.download, streams: 64), .requests(connections: 64), .connections,
    ]

    /// What `--scenario` calls it.
    public var name: String {
        switch self {
        case .bulk(let direction, let streams): "\(direction.rawValue)-\(streams)"
        case .requests(let connections): "requests-\(connections)"
        case .latency: "latency"
        case .connections: "connections"
        case .idle: "idle"
        case .start: "start"
        }
    }

    /// What the report calls it.
    public var title: String {
        switch self {
        case .bulk(let direction, let streams):
            "\(direction.title), \(streams) stream\(streams == 1 ? "" : "s")"
        case .requests(let connections):
            "Requests on \(connections) kept connection\(connections == 1 ? "" : "s")"
        case .latency: "Latency at a fixed rate"
        case .connections: "One request per connection"
        case .idle: "Idle connections"
        case .start: "From exec to the first byte"
        }
    }

    /// What it tells, the most telling first.
    public var metrics: [Metric] {
        switch self {
        case .bulk: [.gigabitsPerSecond, .cpuSecondsPerGiB, .residentMiB]
        case .requests, .connections:
            [.requestsPerSecond, .cpuMicrosecondsPerRequest, .p50, .p99, .p999, .callsPerRequest, .residentMiB]
        case .latency: [.p99, .p50, .p999, .requestsPerSecond, .cpuMicrosecondsPerRequest, .residentMiB]
        case .idle: [.kilobytesPerConnection, .residentMiB]
        case .start: [.firstByteMilliseconds]
        }
    }

    /// Whether it tells something about having no proxy.
    var includesDirect: Bool {
        switch self {
        case .bulk, .requests, .latency, .connections: true
        case .idle, .start: false
        }
    }

    /// Whether once is enough, because what it tells does not vary with what else the machine does.
    var isDoneOnce: Bool { self == .idle }

    /// The passes under strace that belong to it.
    var countsCalls: Bool {
        switch self {
        case .requests, .connections: true
        default: false
        }
    }

    /// The scenario of that name.
    public init?(name: String) {
        guard let scenario = Scenario.all.first(where: { $0.name == name }) else { return nil }
        self = scenario
    }
}

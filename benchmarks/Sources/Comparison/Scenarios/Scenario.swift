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
    case requests(Mode, connections: Int)
    /// Medium answers on 8 connections that stay, by wrk.
    case bodies
    /// Requests on 64 connections that stay, at a rate that is the same for all: what their latency is then.
    case latency(Mode)
    /// A connection for each request, by wrk with 64 at once.
    case connections(Mode)
    /// Thousands of connections that do nothing.
    case idle
    /// How long it takes from exec to the first byte served.
    case start
    /// Large answers in TLS on 8 connections that stay, by wrk.
    case secureBulk
    /// A connection for each request in TLS, by openssl's s_time: with a whole handshake, or going on with the session of the
    /// one before.
    case handshakes(resumed: Bool)
    /// Datagrams of so many bytes to an app that sends them back, so many of each client on their way at once.
    case datagrams(clients: Int, inFlight: Int, size: Int)

    /// All of them, in the order of the report.
    public static let all: [Scenario] =
        Direction.allCases.flatMap { direction in
            [1, 8, 64].map { .bulk(direction, streams: $0) }
        } + requests(over: .tcp) + [.idle, .start] + requests(over: .http) + [.bodies]
        + [
            .secureBulk, .requests(.tls, connections: 64), .connections(.tls), .handshakes(resumed: false),
            .handshakes(resumed: true),
        ] + datagrams

    /// Many clients that ask and wait, as those of a name server do; and few that send all the time.
    private static let datagrams: [Scenario] = [
        .datagrams(clients: 64, inFlight: 1, size: 64), .datagrams(clients: 8, inFlight: 32, size: 64),
        .datagrams(clients: 1, inFlight: 32, size: 1200),
    ]

    /// Those that both modes have.
    private static func requests(over mode: Mode) -> [Scenario] {
        [.requests(mode, connections: 1), .requests(mode, connections: 64), .latency(mode), .connections(mode)]
    }

    /// What is measured on loopback unless more is asked for: veth is what containers have, and time is short.
    public static let onLoopback: [Scenario] = [
        .bulk(.download, streams: 1), .bulk(.download, streams: 64), .requests(.tcp, connections: 64),
        .connections(.tcp), .requests(.http, connections: 64), .connections(.http), .secureBulk,
        datagrams[1],
    ]

    /// What shows that every part works, where time is short: 8 streams are nothing that 1 and 64 are not, and 64 of the
    /// other directions nothing that 64 downloads are not. Both ways at once, so many are through with the few bytes of a
    /// quick run before any are counted.
    public static let quick: [Scenario] =
        all.filter {
            switch $0 {
            case .bulk(_, streams: 8), .bulk(.upload, streams: 64), .bulk(.both, streams: 64), .datagrams, .secureBulk,
                .requests(.tls, _), .connections(.tls), .handshakes(resumed: true):
                false
            default: true
            }
        } + [datagrams[1]]

    /// What shows that loopback works, where time is short.
    public static let onLoopbackQuickly: [Scenario] = [.bulk(.download, streams: 1), .connections(.http)]

    /// What the proxies are in it.
    public var mode: Mode {
        switch self {
        case .requests(let mode, _), .latency(let mode), .connections(let mode): mode
        case .bodies: .http
        case .secureBulk, .handshakes: .tls
        case .bulk, .idle, .start: .tcp
        case .datagrams: .udp
        }
    }

    /// What `--scenario` calls it.
    public var name: String {
        let name =
            switch self {
            case .bulk(let direction, let streams): "\(direction.rawValue)-\(streams)"
            case .requests(_, let connections): "requests-\(connections)"
            case .bodies: "bodies"
            case .latency: "latency"
            case .connections: "connections"
            case .idle: "idle"
            case .start: "start"
            case .secureBulk: "bulk"
            case .handshakes(let resumed): resumed ? "resumptions" : "handshakes"
            case .datagrams(let clients, let inFlight, let size): "udp-\(clients)x\(inFlight)-\(size)"
            }
        return mode == .http || mode == .tls ? "\(mode.rawValue)-\(name)" : name
    }

    /// What the report calls it.
    public var title: String {
        let title =
            switch self {
            case .bulk(let direction, let streams):
                "\(direction.title), \(streams) stream\(streams == 1 ? "" : "s")"
            case .requests(_, let connections):
                "Requests on \(connections) kept connection\(connections == 1 ? "" : "s")"
            case .bodies: "Answers of 100 KiB on 8 kept connections"
            case .latency: "Latency at a fixed rate"
            case .connections: "One request per connection"
            case .idle: "Idle connections"
            case .start: "From exec to the first byte"
            case .secureBulk: "Answers of 10 MiB on 8 kept connections"
            case .handshakes(let resumed):
                "One request per connection, of 2 clients \(resumed ? "that resume a session" : "with whole handshakes")"
            case .datagrams(let clients, let inFlight, let size):
                "UDP: \(clients) client\(clients == 1 ? "" : "s"), \(inFlight) datagram\(inFlight == 1 ? "" : "s") of "
                    + "\(size) bytes each on their way"
            }
        return mode == .http || mode == .tls
            ? "\(mode.title): \(title.prefix(1).lowercased())\(title.dropFirst())" : title
    }

    /// What it tells, the most telling first.
    public var metrics: [Metric] {
        switch self {
        case .bulk: [.gigabitsPerSecond, .cpuSecondsPerGiB, .residentMiB]
        case .requests, .connections, .bodies:
            [.requestsPerSecond, .cpuMicrosecondsPerRequest, .p50, .p99, .p999, .callsPerRequest, .residentMiB]
        case .latency: [.p99, .p50, .p999, .requestsPerSecond, .cpuMicrosecondsPerRequest, .residentMiB]
        case .idle: [.kilobytesPerConnection, .residentMiB]
        case .start: [.firstByteMilliseconds]
        case .secureBulk: [.gigabitsPerSecond, .cpuSecondsPerGiB, .residentMiB]
        case .handshakes: [.requestsPerSecond, .cpuMicrosecondsPerRequest, .residentMiB]
        case .datagrams: [.datagramsPerSecond, .cpuMicrosecondsPerDatagram, .lostPercent, .residentMiB]
        }
    }

    /// Whether it tells something about having no proxy.
    var includesDirect: Bool {
        if mode == .tls { return false }
        return switch self {
        case .bulk, .requests, .bodies, .latency, .connections, .datagrams: true
        case .idle, .start, .secureBulk, .handshakes: false
        }
    }

    /// Whether it shows that a proxy works, and is done by all where time is short.
    var isForEveryone: Bool {
        self == .start || self == .requests(.http, connections: 1)
    }

    /// Whether once is enough, because what it tells does not vary with what else the machine does.
    var isDoneOnce: Bool { self == .idle }

    /// The passes under strace that belong to it.
    var countsCalls: Bool {
        if mode == .tls { return false }
        return switch self {
        case .requests, .bodies, .connections: true
        default: false
        }
    }

    /// The scenario of that name.
    public init?(name: String) {
        guard let scenario = Scenario.all.first(where: { $0.name == name }) else { return nil }
        self = scenario
    }
}

public import Network

/// The settings that `defaults`, a route and the command line have in common.
public struct RouteSettings: Settings, KeyedMapping {
    /// The longest time that a client waits for an app that is not listening yet; 0 refuses at once.
    @Setting(
        .scalar(
            "hold", .duration(), \Self.hold, option: "hold",
            help: "The longest time that a client waits for an app that is not listening yet; 0s refuses at once.",
            example: "30s"))
    public var hold: Duration = .seconds(10)

    /// The time limit for one attempt to connect to the app.
    @Setting(
        .scalar(
            "connect_timeout", .duration(atLeast: .milliseconds(1)), \Self.connectTimeout, option: "connect-timeout",
            help: "The time limit for one attempt to connect to the app.", example: "250ms"))
    public var connectTimeout: Duration = .seconds(1)

    /// The longest time without a byte in either direction; nil for the default of the route's protocol.
    @Setting(
        .scalar(
            "idle_timeout", .automatic(.duration(atLeast: .milliseconds(1))), \Self.idleTimeout,
            option: "idle-timeout",
            help: "The longest time without a byte in either direction; auto is 1h, and 60s with udp.",
            example: "10m"))
    public var idleTimeout: Duration? = nil

    /// The longest time without a byte after one side has finished sending.
    @Setting(
        .scalar(
            "half_close_timeout", .duration(atLeast: .milliseconds(1)), \Self.halfCloseTimeout,
            option: "half-close-timeout",
            help: "The longest time without a byte after one side has finished sending.", example: "1m"))
    public var halfCloseTimeout: Duration = .seconds(300)

    /// The most clients at a time; above it the listeners pause, or with UDP drop what new clients send.
    @Setting(
        .scalar(
            "max_connections", .number(1...1_000_000), \Self.maxConnections, option: "max-connections",
            unit: "connections",
            help: "The most clients of a route at a time; above it its listeners pause, or with udp drop datagrams.",
            example: "500"))
    public var maxConnections: Int = 10_000

    /// The moment to connect to the app.
    @Setting(
        .scalar(
            "connect", .choice(), \Self.connect, option: "connect",
            help: "The moment to connect to the app: once the client is connected, or once it has sent its first byte.",
            example: "first_byte"))
    public var connect: ConnectMoment = .accept

    /// The limits on connections to the app.
    @Setting(
        .mapping(
            "upstream_connections", \Self.upstreamConnections,
            help: "Limits on connections to the app, and the queue of clients that wait for one.",
            example: "{ max: 4 }"))
    public var upstreamConnections: UpstreamConnections = UpstreamConnections()

    /// The connections to the app that are open while no client uses them.
    @Setting(
        .mapping(
            "pool", \Self.pool, help: "Connections to the app that are open while no client uses them.",
            example: "{ spare: 8 }"))
    public var pool: PoolSettings = PoolSettings()

    /// The source address of connections to the app.
    @Setting(
        .scalar(
            "source", .choice(), \Self.source, option: "source",
            help: "The source address of connections to the app: one for all clients, or one for each client.",
            example: "per_client"))
    public var source: ConnectionSource = .default

    /// The limits for each client.
    @Setting(
        .mapping(
            "per_client", \Self.perClient, help: "Limits for each client, by its address.",
            example: "{ max_connections: 100, rate: 10/s }"))
    public var perClient: ClientLimits = ClientLimits()

    /// The clients that may connect; empty allows all. See ``AccessList``.
    @Setting(
        .list(
            "allow", .blocks, \Self.allow, option: "allow",
            help: "The clients that may connect; none allows all.", example: "10.0.0.0/8"))
    public var allow: [CIDR] = []

    /// The clients that may not connect.
    @Setting(
        .list(
            "deny", .blocks, \Self.deny, option: "deny",
            help: "The clients that may not connect; the longest matching prefix of both lists decides.",
            example: "192.0.2.0/24"))
    public var deny: [CIDR] = []

    /// The settings of the PROXY protocol.
    @Setting(
        .mapping(
            "proxy_protocol", \Self.proxyProtocol,
            help: "The PROXY protocol, which names the client: headers accepted from proxies, headers sent to the app.",
            example: "{ send: v2 }"))
    public var proxyProtocol: ProxyProtocolSettings = ProxyProtocolSettings()

    /// The settings of TLS toward clients.
    @Setting(
        .mapping(
            "tls", \Self.tls, help: "TLS toward clients; off without a certificate.",
            example: "{ certificate: /tls/tls.crt, key: /tls/tls.key }"))
    public var tls: TLSSettings = TLSSettings()

    /// The settings of HTTP; the defaults in a route of another protocol.
    @Setting(
        .mapping(
            "http", \Self.http, help: "Settings for HTTP; only with protocol http.",
            example: "{ host: upstream }"))
    public var http: HTTPSettings = HTTPSettings()

    public init() {}

    static let place = "in 'defaults'"
    static let keys = taggedKeys()
}

/// The moment to open the connection to the app for a client.
public enum ConnectMoment: String, Sendable, Equatable, CaseIterable {
    /// Once the client is connected.
    case accept
    /// Once the client has sent its first byte; for apps that wait for their clients to speak first.
    case firstByte = "first_byte"
}

/// The source address of connections to an app.
public enum ConnectionSource: String, Sendable, CaseIterable {
    /// From 127.0.0.1, as the kernel chooses.
    case `default`
    /// Each client's from a 127.x.y.z of its own.
    case perClient = "per_client"
}

public import Network

/// What `defaults`, a route and the command line can set alike; each as in ``Route``.
public struct RouteSettings: Sendable, Equatable {
    public var hold: Duration
    public var connectTimeout: Duration
    /// Nil for what suits the route's protocol.
    public var idleTimeout: Duration?
    public var halfCloseTimeout: Duration
    public var maxConnections: Int
    public var connect: ConnectMoment
    public var upstreamConnections: UpstreamConnections
    public var pool: PoolSettings
    public var source: ConnectionSource
    public var perClient: ClientLimits
    public var allow: [CIDR]
    public var deny: [CIDR]
    public var proxyProtocol: ProxyProtocolSettings
    public var tls: TLSSettings
    public var http: HTTPSettings

    /// Those of a finished route.
    init(of route: Route) {
        hold = route.hold
        connectTimeout = route.connectTimeout
        idleTimeout = route.idleTimeout
        halfCloseTimeout = route.halfCloseTimeout
        maxConnections = route.maxConnections
        connect = route.connect
        upstreamConnections = route.upstreamConnections
        pool = route.pool
        source = route.source
        perClient = route.perClient
        allow = route.allow
        deny = route.deny
        proxyProtocol = route.proxyProtocol
        tls = route.tls
        http = route.http
    }
}

extension RouteSettings: KeyedMapping {
    /// Takes the defaults from where they are public, so that they are written down once.
    public init() {
        self.init(of: Route(listen: [], upstream: .localhost(port: 1)))
        idleTimeout = nil
    }

    static let place = "in 'defaults'"

    static let keys: [Key<RouteSettings>] = [
        .scalar(
            "hold", .duration(), \.hold, option: "hold",
            help: "How long a client may wait for an app that is not listening yet; 0s refuses at once.",
            example: "30s"),
        .scalar(
            "connect_timeout", .duration(atLeast: .milliseconds(1)), \.connectTimeout, option: "connect-timeout",
            help: "How long one attempt to connect to the app may take.", example: "250ms"),
        .scalar(
            "idle_timeout", .automatic(.duration(atLeast: .milliseconds(1))), \.idleTimeout, option: "idle-timeout",
            help: "How long a connection may be without a byte in either direction; auto is 1h, and with udp 60s.",
            example: "10m"),
        .scalar(
            "half_close_timeout", .duration(atLeast: .milliseconds(1)), \.halfCloseTimeout,
            option: "half-close-timeout",
            help: "How long a connection may be without a byte after one side has finished sending.", example: "1m"),
        .scalar(
            "max_connections", .number(1...1_000_000), \.maxConnections, option: "max-connections",
            unit: "connections",
            help: "How many clients of a route may be connected; above it listeners pause, or with udp drop datagrams.",
            example: "500"),
        .scalar(
            "connect", .choice(), \.connect, option: "connect",
            help: "When the app is called: once the client is connected, or once it has sent its first byte.",
            example: "first_byte"),
        .mapping(
            "upstream_connections", \.upstreamConnections, help: "How many connections the app gets.",
            example: "{ max: 4 }"),
        .mapping(
            "pool", \.pool, help: "Connections to the app that are open while nobody uses them.",
            example: "{ spare: 8 }"),
        .scalar(
            "source", .choice(), \.source, option: "source",
            help: "Where connections to the app come from: one address for all, or one for each client.",
            example: "per_client"),
        .mapping(
            "per_client", \.perClient, help: "What each client may have, by its address.",
            example: "{ max_connections: 100, rate: 10/s }"),
        .list(
            "allow", .blocks, \.allow, option: "allow",
            help: "Which clients may come in; none lets everybody.", example: "10.0.0.0/8"),
        .list(
            "deny", .blocks, \.deny, option: "deny",
            help: "Which clients may not come in; the longest prefix of both lists decides.",
            example: "192.0.2.0/24"),
        .mapping(
            "proxy_protocol", \.proxyProtocol, help: "What is said and heard of clients in the PROXY protocol.",
            example: "{ send: v2 }"),
        .mapping(
            "tls", \.tls, help: "How clients are spoken to in TLS; not at all without a certificate.",
            example: "{ certificate: /tls/tls.crt, key: /tls/tls.key }"),
        .mapping(
            "http", \.http, help: "How requests and answers are carried; only with protocol http.",
            example: "{ host: upstream }"),
    ]
}

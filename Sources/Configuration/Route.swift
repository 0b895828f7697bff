public import Network

/// Listeners, and the upstream to which their connections are carried.
public struct Route: Sendable, Equatable {
    /// Its name in logs and metrics, unique among the routes.
    public var name: String
    /// Where clients are accepted; at least one.
    public var listen: [ListenAddress]
    /// Where the app listens.
    public var upstream: UpstreamAddress
    /// What is carried.
    public var `protocol`: RouteProtocol
    /// How long a client may wait for an app that is not listening yet; 0 to refuse at once.
    public var hold: Duration
    /// How long one attempt to connect to the app may take.
    public var connectTimeout: Duration
    /// How long a connection may be without a byte in either direction.
    public var idleTimeout: Duration
    /// How long a connection may go on after one side has finished sending.
    public var halfCloseTimeout: Duration
    /// How many clients may be connected; above it the listeners pause, or with UDP drop what new clients send.
    public var maxConnections: Int
    /// When the app is called.
    public var connect: ConnectMoment
    /// How many connections the app gets.
    public var upstreamConnections: UpstreamConnections
    /// Connections to the app that are open while nobody uses them.
    public var pool: PoolSettings
    /// From which addresses the connections to the app come.
    public var source: ConnectionSource
    /// What each client may have.
    public var perClient: ClientLimits
    /// The clients that may come in; everybody where it is empty. See ``AccessList``.
    public var allow: [CIDR]
    /// The clients that may not.
    public var deny: [CIDR]
    /// What is said and heard of clients in the PROXY protocol.
    public var proxyProtocol: ProxyProtocolSettings
    /// How clients are spoken to in TLS, if they are.
    public var tls: TLSSettings
    /// How HTTP is carried; the defaults where the route's protocol is another.
    public var http: HTTPSettings

    /// A route, with the defaults where nothing is given.
    /// - Parameters:
    ///   - name: nil for the first listen address.
    ///   - idleTimeout: nil for what suits the protocol.
    public init(
        name: String? = nil, listen: [ListenAddress], upstream: UpstreamAddress, protocol: RouteProtocol = .tcp,
        hold: Duration = .seconds(10), connectTimeout: Duration = .seconds(1),
        idleTimeout: Duration? = nil, halfCloseTimeout: Duration = .seconds(300),
        maxConnections: Int = 10_000,
        connect: ConnectMoment = .accept, upstreamConnections: UpstreamConnections = UpstreamConnections(),
        pool: PoolSettings = PoolSettings(), source: ConnectionSource = .default,
        perClient: ClientLimits = ClientLimits(), allow: [CIDR] = [], deny: [CIDR] = [],
        proxyProtocol: ProxyProtocolSettings = ProxyProtocolSettings(), tls: TLSSettings = TLSSettings(),
        http: HTTPSettings = HTTPSettings()
    ) {
        let suffix = `protocol` == .udp ? "/udp" : ""
        self.name = name ?? (listen.first?.description ?? upstream.description) + suffix
        self.listen = listen
        self.upstream = upstream
        self.protocol = `protocol`
        self.hold = hold
        self.connectTimeout = connectTimeout
        self.idleTimeout = idleTimeout ?? `protocol`.usualIdleTimeout
        self.halfCloseTimeout = halfCloseTimeout
        self.maxConnections = maxConnections
        self.connect = connect
        self.upstreamConnections = upstreamConnections
        self.pool = pool
        self.source = source
        self.perClient = perClient
        self.allow = allow
        self.deny = deny
        self.proxyProtocol = proxyProtocol
        self.tls = tls
        self.http = http
    }
}

extension Route {
    /// A route with these settings.
    /// - Parameter name: nil for the first listen address.
    public init(
        name: String? = nil, listen: [ListenAddress], upstream: UpstreamAddress, protocol: RouteProtocol = .tcp,
        settings: RouteSettings
    ) {
        self.init(
            name: name, listen: listen, upstream: upstream, protocol: `protocol`, hold: settings.hold,
            connectTimeout: settings.connectTimeout, idleTimeout: settings.idleTimeout,
            halfCloseTimeout: settings.halfCloseTimeout, maxConnections: settings.maxConnections,
            connect: settings.connect, upstreamConnections: settings.upstreamConnections, pool: settings.pool,
            source: settings.source, perClient: settings.perClient, allow: settings.allow, deny: settings.deny,
            proxyProtocol: settings.proxyProtocol, tls: `protocol` == .udp ? TLSSettings() : settings.tls,
            http: `protocol` == .http ? settings.http : HTTPSettings())
    }
}

extension RouteProtocol {
    /// A connection tells its end; of a flow, silence is all that there is.
    var usualIdleTimeout: Duration {
        switch self {
        case .tcp, .http: .seconds(3600)
        case .udp: .seconds(60)
        }
    }
}

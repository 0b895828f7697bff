/// Listeners, and the upstream to which their connections are carried.
@dynamicMemberLookup
public struct Route: Sendable, Equatable {
    /// Its name in logs and metrics, unique among the routes.
    public var name: String
    /// Where clients are accepted; at least one.
    public var listen: [ListenAddress]
    /// Where the app listens.
    public var upstream: UpstreamAddress
    /// What is carried.
    public var `protocol`: RouteProtocol
    /// How it is carried; each is a property of the route too: `route.hold`.
    public var settings: RouteSettings

    /// A route with these settings, as far as they concern its protocol.
    /// - Parameter name: nil for the first listen address.
    public init(
        name: String? = nil, listen: [ListenAddress], upstream: UpstreamAddress, protocol: RouteProtocol = .tcp,
        settings: RouteSettings = RouteSettings()
    ) {
        let suffix = `protocol` == .udp ? "/udp" : ""
        self.name = name ?? (listen.first?.description ?? upstream.description) + suffix
        self.listen = listen
        self.upstream = upstream
        self.protocol = `protocol`
        self.settings = settings
        if settings.idleTimeout == nil { self.settings.idleTimeout = `protocol`.usualIdleTimeout }
        if `protocol` == .udp { self.settings.tls = TLSSettings() }
        if `protocol` != .http { self.settings.http = HTTPSettings() }
    }

    @inlinable
    public subscript<Value>(dynamicMember path: WritableKeyPath<RouteSettings, Value>) -> Value {
        get { settings[keyPath: path] }
        set { settings[keyPath: path] = newValue }
    }

    /// How long a connection may be without a byte in either direction.
    public var idleTimeout: Duration {
        get { settings.idleTimeout ?? `protocol`.usualIdleTimeout }
        set { settings.idleTimeout = newValue }
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

/// Listeners, and the upstream to which their connections are carried.
@dynamicMemberLookup
public struct Route: Sendable, Equatable {
    /// Its name in logs and metrics, unique among the routes.
    public var name: String
    /// The addresses where clients are accepted; at least one.
    public var listen: [ListenAddress]
    /// The app's address.
    public var upstream: UpstreamAddress
    /// The protocol that is carried.
    public var `protocol`: RouteProtocol
    /// The route's settings; each is a property of the route too: `route.hold`.
    public var settings: RouteSettings

    /// A route with these settings, as far as they concern its protocol.
    /// - Parameter name: nil for the first listen address.
    public init(
        name: String? = nil, listen: [ListenAddress], upstream: UpstreamAddress, protocol: RouteProtocol = .tcp,
        settings: RouteSettings = RouteSettings()
    ) {
        let suffix = `protocol`.transport == .udp ? "/udp" : ""
        self.name = name ?? (listen.first?.description ?? upstream.description) + suffix
        self.listen = listen
        self.upstream = upstream
        self.protocol = `protocol`
        self.settings = settings
        if settings.idleTimeout == nil { self.settings.idleTimeout = `protocol`.usualIdleTimeout }
        if !`protocol`.takesTLS { self.settings.tls = TLSSettings() }
        if !`protocol`.takesHTTP { self.settings.http = HTTPSettings() }
    }

    @inlinable
    public subscript<Value>(dynamicMember path: WritableKeyPath<RouteSettings, Value>) -> Value {
        get { settings[keyPath: path] }
        set { settings[keyPath: path] = newValue }
    }

    /// The longest time without a byte in either direction.
    public var idleTimeout: Duration {
        get { settings.idleTimeout ?? `protocol`.usualIdleTimeout }
        set { settings.idleTimeout = newValue }
    }
}

internal import Configuration
internal import Upstream

/// All that the proxy does differently for one protocol than for another. ``init(_:)`` is the only place that tells them apart.
struct ServedProtocol: Sendable {
    /// Requests follow one another on a connection, and where one ends is known: so connections to the app can be kept for
    /// other clients, and each request may be asked for a password.
    private(set) var hasRequests = false
    /// Connections to the app may be opened before there is a client for them.
    private(set) var opensAhead = true
    /// The protocols that a client may ask for by name in TLS (ALPN), the preferred one first.
    private(set) var applicationProtocols: [String] = []
    /// Makes what serves the clients' connections, on one worker.
    private(set) var makeStreams: @Sendable (SharedRoute) -> any StreamService = { _ in TCPService() }
    /// Makes what serves the clients' datagrams, on one worker; nil where there are none.
    private(set) var makeDatagrams: (@Sendable (SharedRoute, LoopbackSources) -> DatagramRoute)?

    init(_ protocol: RouteProtocol) {
        switch `protocol` {
        case .tcp: break
        case .http:
            hasRequests = true
            applicationProtocols = ["http/1.1", "http/1.0"]
            makeStreams = { HTTPRoute($0.configuration, basicAuth: $0.basicAuth) }
        case .udp:
            opensAhead = false
            makeDatagrams = { DatagramRoute($0.configuration, sources: $1) }
        }
    }
}

/// What serves the clients' connections of a route, on one worker, in the route's protocol. Belongs to the worker's thread.
protocol StreamService: AnyObject {
    /// Makes the session that speaks the protocol.
    func makeSession(_ connection: consuming ClientConnection) -> any Session

    /// Returns the shortest of the timeouts that its sessions look after by themselves, besides those that every route has; nil
    /// for none.
    func shortestTimeout(on route: WorkerRoute) -> Duration?

    /// Gives back the memory that only makes things faster.
    func shrink()
}

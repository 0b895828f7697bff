internal import Configuration
internal import Upstream

/// The differences between the protocols. ``init(_:)`` is the only place in the module that tells protocols apart.
struct ServedProtocol: Sendable {
    /// Whether requests follow one another on a connection, with ends that are known: then connections to the app can be kept for
    /// other clients, and each request may be asked for a password.
    private(set) var hasRequests = false
    /// Whether connections to the app may be opened before there is a client for them.
    private(set) var opensAhead = true
    /// The protocols that a client may ask for by name in TLS (ALPN), the preferred one first.
    private(set) var applicationProtocols: [String] = []
    /// Makes the service of the clients' connections, on one worker.
    private(set) var makeStreams: @Sendable (SharedRoute) -> any StreamService = { _ in TCPService() }
    /// Makes the service of the clients' datagrams, on one worker; nil where there are none.
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

/// Serves the clients' connections of a route, on one worker, in the route's protocol. Belongs to the worker's thread.
protocol StreamService: AnyObject {
    /// Makes the session that speaks the protocol.
    func makeSession(_ connection: consuming ClientConnection) -> any Session

    /// Returns the shortest of the protocol's own timeouts that sessions check in ``Session/checkTimeouts(_:)``; nil
    /// for none.
    func shortestTimeout(on route: WorkerRoute) -> Duration?

    /// Gives back memory that only makes things faster.
    func shrink()
}

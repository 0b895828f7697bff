internal import Access
package import Configuration
internal import EventLoop
internal import Network
internal import Observability
internal import ProxyProtocol
internal import Upstream

/// One worker's side of a route. Belongs to the worker's thread.
final class WorkerRoute {
    /// By which the control thread knows the route.
    let number: Int
    let shared: SharedRoute
    /// The way to the app.
    let app: AppConnections
    /// What is counted of it.
    let traffic: RouteTraffic
    /// Its own, at hand for what happens often.
    let tally: RouteTally
    /// The worker's.
    let clock: TurnClock
    /// What its requests have in common; nil where it carries something else.
    let http: HTTPRoute?
    private var refusals = RefusalLog()
    /// What its listeners have in common where it carries datagrams; nil where it carries something else.
    let datagrams: DatagramRoute?
    /// Whether some of its connections begin with a PROXY header.
    let acceptsHeaders: Bool
    /// The header with which connections to the app begin; nil where they have none.
    let sentHeader: ProxyHeader.Version?
    /// How many sessions, or flows, the worker has on the route.
    var sessions = 0
    /// The route is to be forgotten when its last session has ended.
    var isRemoved = false

    /// - Parameter workers: how many workers the connections that are kept are dealt out to.
    init(
        _ shared: SharedRoute, number: Int, worker: Int, of workers: Int, traffic: RouteTraffic, clock: TurnClock,
        on loop: EventLoop
    ) throws(SystemError) {
        self.number = number
        self.shared = shared
        self.traffic = traffic
        tally = traffic.tally
        self.clock = clock
        let configuration = shared.configuration
        http = configuration.protocol == .http ? HTTPRoute(configuration, basicAuth: shared.basicAuth) : nil
        acceptsHeaders = configuration.proxyProtocol.accept
        sentHeader = configuration.proxyProtocol.send.version
        app = try AppConnections(
            to: configuration.upstream.candidates,
            limits: AppConnections.Limits(
                connector: Connector.Limits(hold: configuration.hold, connectTimeout: configuration.connectTimeout),
                queueTimeout: configuration.upstreamConnections.queueTimeout,
                pool: configuration.poolLimits(worker: worker, of: workers)),
            hold: shared.hold, admission: shared.admission,
            member: AdmissionQueue.Member(route: number, worker: worker),
            sources: LoopbackSources(configuration.sourcePolicy, troubles: shared.sourceTroubles), on: loop)
        datagrams = configuration.protocol == .udp ? DatagramRoute(configuration, sources: app.sources) : nil
        app.onAnswer = { [tally = traffic.tally] times in
            clock.note(times.answered)
            tally.countConnect(
                started: times.started, called: times.called, answered: times.answered, isConnected: times.isConnected)
        }
    }

    var configuration: Route { shared.configuration }

    /// Lets a client in, or says why not; see ``Doorkeeper/admit(_:isRetry:at:)``.
    func admit(_ client: SocketAddress, isRetry: Bool = false) throws(ClientRefusal) -> ClientPermit? {
        guard let door = shared.door else { return nil }
        return try door.admit(client, isRetry: isRetry, at: .now)
    }

    /// Counts a client that was turned away.
    /// - Returns: see ``RefusalLog/note(_:at:)``.
    func note(_ refusal: ClientRefusal) -> Int? {
        traffic.countFailure(.refused(refusal))
        return refusals.note(refusal, at: .coarse)
    }

    /// Whether a connection from there begins with a PROXY header.
    func expectsProxyHeader(from peer: SocketAddress) -> Bool {
        acceptsHeaders && configuration.proxyProtocol.expectsHeader(from: peer)
    }

    /// The first of the timeouts that its sessions look after by themselves.
    var shortestTimeout: Duration {
        var relaying = min(configuration.idleTimeout, configuration.halfCloseTimeout)
        if acceptsHeaders { relaying = min(relaying, configuration.proxyProtocol.headerTimeout) }
        if shared.tls != nil { relaying = min(relaying, configuration.tls.handshakeTimeout) }
        guard let http = http?.settings else { return relaying }
        if shared.admission != nil { relaying = min(relaying, app.longestRest) }
        return min(relaying, http.headTimeout, http.bodyTimeout, min(http.responseTimeout, http.keepAliveTimeout))
    }
}

extension Route {
    /// How many connections to the app may be open while nobody uses them, over all workers.
    package var keptConnections: (spare: Int, idle: Int) {
        // Where each client has an address of its own, or is named at the beginning of its connection, none is anybody
        // else's, or can be opened before it is known whose it is. And only HTTP can tell where one client's use of a
        // connection ends.
        let isOneClients = settings.source == .perClient || settings.proxyProtocol.send != .off
        return isOneClients || `protocol` == .udp
            ? (0, 0) : (settings.pool.spare, `protocol` == .http ? settings.pool.idle : 0)
    }

    fileprivate func poolLimits(worker: Int, of workers: Int) -> ConnectionPool.Limits {
        func share(_ count: Int) -> Int { count / workers + (worker < count % workers ? 1 : 0) }
        let kept = keptConnections
        return ConnectionPool.Limits(
            spare: share(kept.spare), idle: share(kept.idle), idleTimeout: settings.pool.idleTimeout,
            maxRequests: settings.pool.maxRequests)
    }

    fileprivate var sourcePolicy: LoopbackSources.Policy {
        switch settings.source {
        case .default: .kernelsChoice
        case .perClient: .perClient
        }
    }
}

internal import Access
package import Configuration
internal import EventLoop
internal import Network
internal import Observability
internal import ProxyProtocol
internal import Upstream

/// One worker's side of a route. Belongs to the worker's thread.
final class WorkerRoute {
    /// The number by which the control thread knows the route.
    let number: Int
    let shared: SharedRoute
    /// The way to the app.
    let app: AppConnections
    /// The route's counts.
    let traffic: RouteTraffic
    /// The tally of ``traffic``, at hand for what happens often.
    let tally: RouteTally
    /// The context of the route's worker.
    let worker: WorkerContext
    /// Serves its clients' connections.
    let streams: any StreamService
    /// Serves its clients' datagrams; nil where it carries something else.
    let datagrams: DatagramRoute?
    private var refusals = RefusalLog()
    /// Whether some of its connections begin with a PROXY header.
    let acceptsHeaders: Bool
    /// The header with which connections to the app begin; nil where they have none.
    let sentHeader: ProxyHeader.Version?
    /// The number of clients that the worker has on the route, by connections or by flows; ``ConnectionPermit`` counts.
    var permits = 0
    /// Whether the route was removed, and is to be forgotten with its last client.
    var isRemoved = false
    /// Called when the last client of a route that was removed has gone.
    var onUnused: (() -> Void)?

    /// - Parameter workers: the number of workers that share the connections that are kept.
    init(
        _ shared: SharedRoute, number: Int, workers: Int, traffic: RouteTraffic, in worker: WorkerContext
    ) throws(SystemError) {
        self.number = number
        self.shared = shared
        self.traffic = traffic
        tally = traffic.tally
        self.worker = worker
        let configuration = shared.configuration
        let served = ServedProtocol(configuration.protocol)
        streams = served.makeStreams(shared)
        acceptsHeaders = configuration.proxyProtocol.accept
        sentHeader = configuration.proxyProtocol.send.version
        app = try AppConnections(
            to: configuration.upstream.candidates,
            limits: AppConnections.Limits(
                connector: Connector.Limits(hold: configuration.hold, connectTimeout: configuration.connectTimeout),
                queueTimeout: configuration.upstreamConnections.queueTimeout,
                pool: configuration.poolLimits(worker: worker.number, of: workers)),
            hold: shared.hold, admission: shared.admission,
            member: AdmissionQueue.Member(route: number, worker: worker.number),
            sources: LoopbackSources(configuration.sourcePolicy, troubles: shared.sourceTroubles), on: worker.loop)
        datagrams = served.makeDatagrams?(shared, app.sources)
        app.onNews = { [weak self] news in
            if let self { self.worker.tell(of: news, on: self) }
        }
        app.sources.onTrouble = { [weak self] trouble in
            if let self { self.worker.tell(of: trouble, on: self) }
        }
        app.onAnswer = { [tally = traffic.tally, clock = worker.clock] times in
            clock.note(times.answered)
            tally.countConnect(
                started: times.started, called: times.called, answered: times.answered, isConnected: times.isConnected)
        }
    }

    var configuration: Route { shared.configuration }

    /// The worker's clock.
    var clock: TurnClock { worker.clock }

    /// Lets a client in, or throws the reason why not; see ``Doorkeeper/admit(_:isRetry:at:)``.
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

    /// The shortest of the timeouts that the route's sessions check.
    var shortestTimeout: Duration {
        var shortest = min(configuration.idleTimeout, configuration.halfCloseTimeout)
        if acceptsHeaders { shortest = min(shortest, configuration.proxyProtocol.headerTimeout) }
        if shared.tls != nil { shortest = min(shortest, configuration.tls.handshakeTimeout) }
        return min(shortest, streams.shortestTimeout(on: self) ?? shortest)
    }
}

extension Route {
    /// The numbers of connections to the app that may be open while nobody uses them, over all workers.
    package var keptConnections: (spare: Int, idle: Int) {
        // Where each client has an address of its own, or is named at the beginning of its connection, a connection belongs
        // to one client, and cannot be opened before that client is known.
        let isOneClients = settings.source == .perClient || settings.proxyProtocol.send != .off
        let served = ServedProtocol(`protocol`)
        return isOneClients
            ? (0, 0) : (served.opensAhead ? settings.pool.spare : 0, served.hasRequests ? settings.pool.idle : 0)
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

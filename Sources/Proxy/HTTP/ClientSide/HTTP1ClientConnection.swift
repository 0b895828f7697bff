internal import Access
internal import Configuration
internal import EventLoop
internal import HTTP1
internal import Network
internal import Observability
internal import Relay
internal import Upstream

/// The client's side of HTTP/1: one client's connection, on which requests come one behind the other and are served one at a
/// time.
///
/// It reads heads, keeps the connection between exchanges, writes what goes to the client, and ends the connection. Each
/// request is an ``HTTPExchange``'s. `README.md` beside this file says which calls another codec has to offer to exchanges.
final class HTTP1ClientConnection: Session {
    enum State {
        case notBegun
        /// Nothing of a request has come since the last one, or since the beginning.
        case idle
        case serving(HTTPExchange)
        /// Everything has been said, and what the client still sends is thrown away: to close the connection on it would be
        /// a reset, which could overtake the response.
        case lingering
        /// The protocol was switched.
        case relaying(Duplex, HTTPExchange)
        /// The rest is being delivered, and then the connections are reset.
        case parting(Parting)
        case ended
    }

    /// Without the socket, once that has been taken out: what lies in here can be changed by others, so that the runtime watches
    /// each access.
    var connection: ClientConnection
    var index = 0
    /// The client's; nil once it was handed on to a relay or closed.
    var socket: WatchedSocket?
    /// At hand for every request, as those that follow.
    let route: WorkerRoute
    let worker: WorkerContext
    let workspace: RelayWorkspace
    let http: HTTPRoute
    let tally: RouteTally
    let clock: TurnClock
    var state = State.notBegun
    /// The app's connection that is this client's alone, while no request is on it.
    var ownConnection: AppConnection?
    let toApp = HalfDuplex(.toUpstream)
    let toClient = HalfDuplex(.toDownstream)
    /// The number of requests' heads that have come.
    var requests = 0
    /// When ``State/idle`` or ``State/lingering`` began.
    var since = MonotonicTime.coarse
    /// When anything last moved.
    var lastActivity = MonotonicTime.coarse
    var abortReason = SessionEnd.drained
    /// The app's connection, where that is to be reset by itself.
    var appParting: Parting?
    private var deliveries = DeliveryWatch()
    private var isAwaitingTurn = false
    /// The client as the app is told of it; made for the first request.
    private(set) lazy var sender = http.sender(
        client, scheme: tls != nil || hasComeOverTLS ? .https : .http, tls: tls)
    /// The beginning of each connection to the app; made for the first one.
    private(set) lazy var preamble = socket.map { proxyHeader(on: $0.socket) } ?? []

    init(_ connection: consuming ClientConnection, as http: HTTPRoute) {
        self.http = http
        route = connection.route
        worker = connection.route.worker
        workspace = connection.route.worker.workspace
        tally = connection.route.tally
        clock = connection.route.clock
        self.connection = connection
    }

    func start() {
        guard let socket = connection.socket else { return }
        connection.socket = nil
        self.socket = socket
        state = .idle
        // The session owns the socket, and clears this when it ends.
        socket.onReady = { [unowned self] in clientReady($0) }
        // Readiness that came with a PROXY header is not told again.
        let readiness = socket.takeUnusedReadiness()
        if !readiness.isEmpty { clientReady(readiness) }
    }

    /// Whether the client's connection ends behind the response that is under way, whatever the client wants.
    var isLeaving: Bool { route.isRemoved || worker.isDraining }

    // MARK: Readiness

    private func clientReady(_ readiness: IOEvent.Readiness) {
        clock.beginTurn()
        toApp.noteSource(readiness)
        switch state {
        // Words that came before a failure are read first.
        case .idle: if toApp.mayReceive { readHead() }
        case .serving(let exchange): exchange.clientReady(readiness, self)
        case .lingering: discard()
        case .notBegun, .relaying, .parting, .ended: break
        }
    }

    /// Goes on when the other connections have had their turn.
    func awaitTurn() {
        guard !isAwaitingTurn else { return }
        isAwaitingTurn = true
        workspace.loop.onNextTurn { [self] in
            isAwaitingTurn = false
            clock.beginTurn()
            switch state {
            case .serving(let exchange): exchange.turnHasCome(self)
            case .lingering: discard()
            case .notBegun, .idle, .relaying, .parting, .ended: break
            }
        }
    }

    func noteActivity() { lastActivity = clock.now }

    /// Notes that bytes have moved.
    /// - Parameter count: the number of those that went through the copy loop.
    func noteMoved(_ count: UInt64) {
        guard count > 0 else { return }
        let now = clock.now
        workspace.noteMoved(count, at: now, last: lastActivity)
        lastActivity = now
    }

    // MARK: What the worker asks

    var bytesMoved: (toApp: UInt64, toClient: UInt64) {
        // A relay goes on counting where its two halves had come.
        guard case .relaying(let duplex, _) = state else { return (toApp.bytesMoved, toClient.bytesMoved) }
        return (duplex.bytesToUpstream, duplex.bytesToDownstream)
    }

    var keepsApp: Bool { ownConnection != nil }

    var usesApp: Bool {
        switch state {
        case .serving(let exchange): exchange.course.isExchanging
        case .relaying: true
        case .notBegun, .idle, .lingering, .parting, .ended: false
        }
    }

    func boundBuffers(to bytes: Int?) {
        socket?.socket.boundBuffers(to: bytes)
        switch state {
        case .serving(let exchange): exchange.app.connection?.socket.socket.boundBuffers(to: bytes)
        case .relaying(let duplex, _): duplex.boundBuffers(to: bytes)
        case .notBegun, .idle, .lingering, .parting, .ended: break
        }
    }

    func drain() {
        // A request that has arrived is served, also one that is still in the kernel. Of a client that has not asked yet, the
        // first one may be on its way, and it would find its connection ended without a response: at a reload that can wait.
        guard case .idle = state, let socket, worker.isDraining || requests > 0, socket.socket.idleState != .spokenTo
        else { return }
        end()
    }

    func abort(_ reason: SessionEnd) {
        clock.beginTurn()
        switch state {
        case .notBegun, .ended: break
        case .idle:
            route.traffic.countFailure(reason)
            part(with: nil, atOnce: true)
        case .serving(let exchange): exchange.tell(.aborted(Exchange.Cause(aborted: reason)), self)
        case .lingering: part(with: nil, atOnce: true)
        case .relaying(let duplex, _):
            abortReason = reason
            duplex.abort()
        case .parting(let parting): parting.cancel()
        }
    }

    /// The longest silence of a client after the last word, and the longest time after it in all, before the connection is
    /// closed.
    private static let (lingeringSilence, longestLingering) = (Duration.seconds(5), Duration.seconds(30))

    func checkTimeouts(_ hearing: Hearing) {
        clock.beginTurn()
        let settings = http.settings
        if let ownConnection, route.app.mustMakeWay(ownConnection, at: hearing.now) { closeOwnConnection() }
        switch state {
        case .idle:
            // A client that has never sent anything is owed no response.
            let limit = requests == 0 ? settings.headTimeout : settings.keepAliveTimeout
            if hearing.silence(since: since) >= limit { end() }
        case .serving(let exchange): exchange.endIfOverdue(hearing, self)
        case .parting(let parting):
            let configuration = route.configuration
            let limit = min(configuration.halfCloseTimeout, configuration.idleTimeout)
            if hearing.silence(since: parting.lastActivity) >= limit { parting.cancel() }
        case .lingering:
            if hearing.silence(since: lastActivity) >= Self.lingeringSilence
                || hearing.silence(since: since) >= Self.longestLingering
            {
                end()
            }
        case .relaying(let duplex, _): if let reason = silenceEnd(of: duplex, hearing) { abort(reason) }
        case .notBegun, .ended: break
        }
    }

    /// Whether nothing has moved for too long.
    func isIdleForTooLong(_ hearing: Hearing) -> Bool {
        hearing.hasFallenSilent(
            since: lastActivity, for: route.configuration.idleTimeout, unless: isStillDelivering)
    }

    /// Whether the client has taken something since this was last asked: see ``Duplex/isStillDelivering()``.
    private func isStillDelivering() -> Bool {
        guard let socket, deliveries.hasMoved(socket.socket) else { return false }
        lastActivity = .coarse
        return true
    }
}

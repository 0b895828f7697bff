internal import Access
internal import Configuration
internal import EventLoop
internal import Glibc
internal import HTTP1
internal import Network
internal import Observability
internal import Relay
internal import Upstream

/// One client's connection to a route with `protocol: http`: its requests, in order and one at a time, and their answers.
///
/// The states and what leads from one to the next are drawn in docs/architecture.md; the parts of the way are in the
/// extensions beside this file.
final class HTTPSession: Session {
    enum State {
        /// Between two requests, with nothing of the next one; or before the first.
        case idle
        /// A part of a head has come.
        case readingHead(HTTPExchange)
        /// The head is whole, and a connection to the app is yet to be had.
        case waitingForApp(HTTPExchange, ConnectRequest?)
        /// The request's body and the answer go their ways.
        case exchanging(HTTPExchange, AppConnection)
        /// The answer is complete, but the client has not taken all of it.
        case delivering(HTTPExchange)
        /// Everything has been said, and what the client still sends is thrown away: to close the connection on it would be
        /// a reset, which could overtake the answer.
        case lingering
        /// The protocol was switched.
        case relaying(Duplex, HTTPExchange)
        /// What is left is being delivered, and then the connections are reset.
        case parting(Parting)
        case ended
    }

    var connection: ClientConnection
    var index = 0
    let http: HTTPRoute
    /// The route's, at hand for every request.
    let tally: RouteTally
    let clock: TurnClock
    var state = State.ended
    /// The app's connection that is this client's alone, while no request is on it.
    var ownConnection: AppConnection?
    /// While it is about to be known whether the end of an answer is the app's.
    var appLifeTimer: Timer?
    let toApp = HalfDuplex(.toUpstream)
    let toClient = HalfDuplex(.toDownstream)
    /// How many requests' heads have come.
    var requests = 0
    /// When the state became what it is, where that matters: ``State/idle`` and ``State/lingering``.
    var since = MonotonicTime.coarse
    /// When anything last moved.
    var lastActivity = MonotonicTime.coarse
    var abortReason = SessionEnd.drained
    /// The app's connection, where that is to be reset by itself.
    private var appParting: Parting?
    /// What the client's kernel had yet to acknowledge at the last look.
    private var undelivered: Int32 = 0
    private var isAwaitingTurn = false
    /// While the password thread is asked about a request.
    var passwordTicket: PasswordTicket?
    /// What the app is told about the client; made for the first request.
    private(set) lazy var sender = http.sender(
        client, scheme: tls != nil || hasComeOverTLS ? .https : .http, tls: tls)
    /// With what each connection to the app begins; made for the first one.
    private(set) lazy var preamble = socket.map { proxyHeader(on: $0.socket) } ?? []
    /// What the app's sockets call, made once.
    private(set) lazy var appHandler: IOEvent.Handler = { [unowned self] in appReady($0) }

    var workspace: RelayWorkspace { worker.workspace }

    init(_ connection: consuming ClientConnection, as http: HTTPRoute) {
        self.http = http
        tally = connection.route.tally
        clock = connection.route.clock
        self.connection = connection
    }

    func start() {
        guard let socket else { return }
        state = .idle
        socket.onReady = { [unowned self] in clientReady($0) }
        // What was said behind a PROXY header is not told again.
        let readiness = socket.unusedReadiness
        if !readiness.isEmpty {
            socket.unusedReadiness = []
            clientReady(readiness)
        }
    }

    /// The client's connection ends after the answer that is under way, whatever the client wants.
    var isLeaving: Bool { route.isRemoved || worker.isDraining }

    // MARK: Readiness

    private func clientReady(_ readiness: IOEvent.Readiness) {
        clock.beginTurn()
        toApp.noteSource(readiness)
        let hasFailed = readiness.contains(.failed)
        switch state {
        case .idle, .readingHead:
            // Where it has failed, what it has said before is read first.
            if toApp.mayReceive { readHead() }
        case .waitingForApp(_, let request):
            waitingClientReady(readiness, request)
        case .exchanging:
            if readiness.contains(.writable), toClient.isWaitingForSink { carryAnswer(clientIsReady: true) }
            if toApp.mayReceive { carryRequest() }
            if hasFailed { endIfClientHasFailed() }
        case .delivering(let exchange):
            if hasFailed { return clientFailed(socket?.socket.takeError() ?? .reset) }
            if readiness.contains(.writable) { deliverRest(exchange) }
        case .lingering:
            discard()
        case .relaying, .parting, .ended: break
        }
    }

    private func appReady(_ readiness: IOEvent.Readiness) {
        clock.beginTurn()
        guard case .exchanging(let exchange, let connection) = state else { return toClient.noteSource(readiness) }
        var readiness = readiness
        // A reset behind a FIN, of which the kernel notes EPIPE (tcp_reset()): what the app has said is whole.
        if readiness.contains(.failed), connection.socket.socket.takeError() == .system(EPIPE) {
            readiness = [.readable, .endOfStream, .writable]
        }
        toClient.noteSource(readiness)
        if readiness.contains(.endOfStream) { noteAppLife(exchange) }
        if !readiness.isDisjoint(with: [.writable, .failed]), toApp.isWaitingForSink {
            carryRequest(appIsReady: true)
            endIfClientHasFailed()
        }
        if toClient.mayReceive { carryAnswer() }
    }

    /// Goes on when the other connections have had their turn.
    func awaitTurn() {
        guard !isAwaitingTurn else { return }
        isAwaitingTurn = true
        workspace.loop.onNextTurn { [self] in
            isAwaitingTurn = false
            clock.beginTurn()
            switch state {
            case .exchanging:
                carryRequest()
                carryAnswer()
                endIfClientHasFailed()
            case .lingering: discard()
            default: break
            }
        }
    }

    /// Notes that bytes have moved.
    /// - Parameter count: how many of them went through the copy loop.
    func noteMoved(_ count: UInt64) {
        guard count > 0 else { return }
        let now = clock.now
        workspace.noteMoved(count, at: now, last: lastActivity)
        lastActivity = now
    }

    var bytesMoved: (toApp: UInt64, toClient: UInt64) {
        // A relay goes on counting where its two halves had come.
        guard case .relaying(let duplex, _) = state else { return (toApp.bytesMoved, toClient.bytesMoved) }
        return (duplex.bytesToUpstream, duplex.bytesToDownstream)
    }

    var keepsApp: Bool { ownConnection != nil }

    var usesApp: Bool {
        switch state {
        case .exchanging, .relaying: true
        default: false
        }
    }

    // MARK: Ends

    func abort(_ reason: SessionEnd) {
        clock.beginTurn()
        switch state {
        case .ended: break
        case .relaying(let duplex, _):
            abortReason = reason
            duplex.abort()
        case .parting(let parting): parting.cancel()
        default: breakOff(reason, atOnce: true)
        }
    }

    func drain() {
        // A request that has arrived is served, also one that is still in the kernel. Of a client that has not asked yet, the
        // first one may be on its way, and it would find its connection ended without an answer: at a reload that can wait.
        guard case .idle = state, let socket, worker.isDraining || requests > 0, socket.socket.idleState != .spokenTo
        else { return }
        end()
    }

    func boundBuffers(to bytes: Int?) {
        socket?.socket.boundBuffers(to: bytes)
        switch state {
        case .exchanging(_, let connection): connection.socket.socket.boundBuffers(to: bytes)
        case .relaying(let duplex, _): duplex.boundBuffers(to: bytes)
        default: break
        }
    }

    func checkTimeouts(_ hearing: Hearing) {
        clock.beginTurn()
        endWhatTakesTooLong(hearing)
    }

    /// Ends both connections in the middle: the client must see that something is missing, and the app that nobody waits any
    /// more. What either was given arrives before.
    /// - Parameter atOnce: reset them now, whatever is under way.
    func breakOff(_ reason: SessionEnd, atOnce: Bool = false) {
        guard let socket else { return }
        var legs = [Parting.Leg(socket, takingFrom: toClient)]
        var ended: HTTPExchange?
        switch state {
        case .waitingForApp(let exchange, let request):
            request?.cancel()
            ended = exchange
        case .exchanging(let exchange, let connection):
            if !atOnce, exchange.isAnswering, exchange.responseBody.showsItsEnd, reason.leavesClient {
                return cutOff(exchange, connection, reason)
            }
            legs.append(Parting.Leg(connection.socket, takingFrom: toApp))
            ended = exchange
        case .readingHead(let exchange), .delivering(let exchange): ended = exchange
        case .idle: route.traffic.countFailure(reason)
        case .lingering, .relaying, .parting, .ended: break
        }
        if let ended {
            requestEnded(ended, reason)
            http.giveBack(ended)
        }
        self.socket = nil
        let parting = Parting(legs, in: workspace)
        state = .parting(parting)
        if atOnce { appParting?.cancel() }
        parting.begin { [unowned self] in end() }
        if atOnce { parting.cancel() }
    }

    /// Ends an answer whose framing shows the client that it is not whole. So the connection can end with an end, which stands
    /// behind all that was sent and is sent again where it gets lost; a reset is neither.
    private func cutOff(_ exchange: HTTPExchange, _ connection: AppConnection, _ reason: SessionEnd) {
        state = .delivering(exchange)
        exchange.closes = true
        exchange.isCutOff = true
        exchange.failure = reason
        exchange.isRequestAbandoned = true
        exchange.endAnswerBody()
        let parting = Parting([Parting.Leg(connection.socket, takingFrom: toApp)], in: workspace)
        appParting = parting
        parting.begin { [unowned self] in
            appParting = nil
            if case .parting(let current) = state, current === parting { end() }
        }
        if !toClient.isWaitingForSink { deliverRest(exchange) }
    }

    func clientFailed(_ failure: SocketFailure) {
        breakOff(.clientFailed(failure))
    }

    /// A client that has failed gets no answer. Once the app has what it had said before, there is nothing to wait for.
    func endIfClientHasFailed() {
        guard toApp.hasSourceFailed, case .exchanging(let exchange, _) = state,
            isRequestSent(exchange) || exchange.isRequestAbandoned
        else { return }
        clientFailed(socket?.socket.takeError() ?? .reset)
    }

    /// Whether the client has taken something since this was last asked: see ``Duplex/isStillDelivering()``.
    func isStillDelivering() -> Bool {
        guard let socket else { return false }
        let before = undelivered
        undelivered = Int32(clamping: socket.socket.undeliveredBytes)
        guard before != 0, before != undelivered else { return false }
        lastActivity = .coarse
        return true
    }

    /// Closes what is left.
    func end() {
        guard !isEnded else { return }
        if let appParting {
            socket?.onReady = nil
            socket = nil
            state = .parting(appParting)
            return
        }
        let bytesMoved = bytesMoved
        state = .ended
        passwordTicket = nil
        closeOwnConnection()
        appLifeTimer = nil
        toApp.abandon(in: workspace)
        toClient.abandon(in: workspace)
        socket?.onReady = nil
        socket = nil
        worker.sessions.end(self, bytesMoved: bytesMoved)
    }

    var isEnded: Bool {
        if case .ended = state { true } else { false }
    }
}

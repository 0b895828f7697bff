internal import Configuration
internal import EventLoop
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
        case ended
    }

    let http: HTTPRoute
    /// The route's, at hand for every request.
    let tally: RouteTally
    let clock: TurnClock
    var state = State.ended
    /// The client's; nil once it was handed on to a relay or closed.
    var socket: WatchedSocket?
    /// The app's connection that is this client's alone, while no request is on it.
    var ownConnection: AppConnection?
    let toApp = HalfDuplex(.toUpstream)
    let toClient = HalfDuplex(.toDownstream)
    /// How many requests' heads have come.
    var requests = 0
    /// When the state became what it is, where that matters: ``State/idle`` and ``State/lingering``.
    var since = MonotonicTime.coarse
    /// When anything last moved.
    var lastActivity = MonotonicTime.coarse
    var abortReason = SessionEnd.drained
    private var isAwaitingTurn = false
    /// While the password thread is asked about a request.
    var passwordQuestion: PasswordThread.Question?
    /// What the app is told about the client; made for the first request.
    private(set) lazy var sender = http.sender(
        client, scheme: tls != nil || hasComeOverTLS ? .https : .http, tls: tls)
    /// With what each connection to the app begins; made for the first one.
    private(set) lazy var preamble = socket.map { proxyHeader(on: $0.socket) } ?? []
    /// What the app's sockets call, made once.
    private(set) lazy var appHandler: IOEvent.Handler = { [unowned self] in appReady($0) }

    var workspace: RelayWorkspace { worker.workspace }

    init(_ client: SocketAddress, on route: WorkerRoute, as http: HTTPRoute, of worker: Worker) {
        self.http = http
        tally = route.tally
        clock = route.clock
        super.init(client, on: route, of: worker)
    }

    override func start(with socket: WatchedSocket) {
        self.socket = socket
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
            if hasFailed { clientFailed(socket?.socket.takeError() ?? 0) } else if toApp.mayReceive { readHead() }
        case .waitingForApp(_, let request):
            waitingClientReady(readiness, request)
        case .exchanging:
            if hasFailed { return clientFailed(socket?.socket.takeError() ?? 0) }
            if readiness.contains(.writable), toClient.isWaitingForSink { carryAnswer(clientIsReady: true) }
            if toApp.mayReceive { carryRequest() }
        case .delivering(let exchange):
            if hasFailed { return clientFailed(socket?.socket.takeError() ?? 0) }
            if readiness.contains(.writable) { deliverRest(exchange) }
        case .lingering:
            discard()
        case .relaying, .ended: break
        }
    }

    private func appReady(_ readiness: IOEvent.Readiness) {
        clock.beginTurn()
        toClient.noteSource(readiness)
        guard case .exchanging = state else { return }
        if !readiness.isDisjoint(with: [.writable, .failed]), toApp.isWaitingForSink { carryRequest(appIsReady: true) }
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

    override var bytesMoved: (toApp: UInt64, toClient: UInt64) {
        // A relay goes on counting where its two halves had come.
        guard case .relaying(let duplex, _) = state else { return (toApp.bytesMoved, toClient.bytesMoved) }
        return (duplex.bytesToUpstream, duplex.bytesToDownstream)
    }

    override var keepsApp: Bool { ownConnection != nil }

    override var usesApp: Bool {
        switch state {
        case .exchanging, .relaying: true
        default: false
        }
    }

    // MARK: Ends

    override func abort(_ reason: SessionEnd) {
        clock.beginTurn()
        switch state {
        case .ended: break
        case .relaying(let duplex, _):
            abortReason = reason
            duplex.abort()
        default: breakOff(reason)
        }
    }

    override func drain() {
        // A request that has arrived is served, also one that is still in the kernel. Of a client that has not asked yet, the
        // first one may be on its way, and it would find its connection ended without an answer: at a reload that can wait.
        guard case .idle = state, let socket, worker.isDraining || requests > 0, socket.socket.idleState != .spokenTo
        else { return }
        end()
    }

    override func checkTimeouts(now: MonotonicTime) {
        clock.beginTurn()
        endWhatTakesTooLong(now: now)
    }

    /// Resets both connections: the client must see that something is missing, and the app that nobody waits any more.
    func breakOff(_ reason: SessionEnd) {
        socket?.socket.resetWhenClosed()
        var exchange: HTTPExchange?
        switch state {
        case .waitingForApp(let current, let request):
            request?.cancel()
            exchange = current
        case .exchanging(let current, let connection):
            connection.socket.socket.resetWhenClosed()
            connection.socket.onReady = nil
            exchange = current
        case .readingHead(let current), .delivering(let current): exchange = current
        case .idle: route.traffic.countFailure(reason)
        case .lingering, .relaying, .ended: break
        }
        if let exchange {
            requestEnded(exchange, reason)
            http.giveBack(exchange)
        }
        end()
    }

    func clientFailed(_ code: CInt) {
        breakOff(.clientFailed(code))
    }

    /// Closes what is left.
    func end() {
        guard !isEnded else { return }
        let bytesMoved = bytesMoved
        state = .ended
        if let passwordQuestion { worker.withdraw(passwordQuestion) }
        passwordQuestion = nil
        closeOwnConnection()
        toApp.abandon(in: workspace)
        toClient.abandon(in: workspace)
        socket?.onReady = nil
        socket = nil
        worker.ended(self, bytesMoved: bytesMoved)
    }

    var isEnded: Bool {
        if case .ended = state { true } else { false }
    }
}

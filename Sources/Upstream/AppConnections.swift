public import EventLoop
public import Network

/// One worker's way to one route's app: a connection, reused or new, now or when the client's turn comes, or the reason why
/// there is none.
///
/// ```swift
/// let request = app.connect { result in … }
/// request.cancel()        // the client has left
/// app.giveBack(connection)    // for the next one who asks, where the protocol can tell its requests apart
/// ```
///
/// Belongs to its loop's thread.
public final class AppConnections {
    /// The bounds on the connections of one worker.
    public struct Limits: Sendable {
        public let connector: Connector.Limits
        /// The time that a client may wait for its turn.
        public let queueTimeout: Duration
        public let pool: ConnectionPool.Limits

        public init(
            connector: Connector.Limits, queueTimeout: Duration = .seconds(10),
            pool: ConnectionPool.Limits = ConnectionPool.Limits()
        ) {
            self.connector = connector
            self.queueTimeout = queueTimeout
            self.pool = pool
        }
    }

    /// News that is worth telling people.
    public enum News: Sendable, Equatable {
        /// This worker is the first of its route to be kept from the app, or the one that got through again (nil).
        case obstacle(Connector.Obstacle?)
        /// The app has all the connections that it may have, and clients begin to wait.
        case clientsWait
        /// As many wait as may, and further ones are turned away.
        case queueFull
    }

    private let connector: Connector
    private let hold: HoldCoordinator
    /// By which the queue knows us.
    private let member: AdmissionQueue.Member
    private let loop: EventLoop
    /// The bound that the workers share, and our clients that wait; nil where there is no bound.
    private let admission: (queue: AdmissionQueue, line: AdmissionLine)?
    /// Nil where nothing is kept.
    private let keeping: ConnectionPool?
    /// The time that a client's own connection may rest while others wait for its permit.
    public let longestRest: Duration
    private var isDraining = false
    private var isOpeningSpare = false
    private var isRefillDue = false

    /// Called on the loop's thread.
    public var onNews: ((News) -> Void)?

    /// - Parameters:
    ///   - candidates: the addresses where the app may be; at least one.
    ///   - hold: shared by the route in all workers.
    ///   - admission: likewise; nil where the connections to the app are not bounded.
    ///   - member: the number by which `hold` knows this worker, and the route's, by which `admission` knows it.
    ///   - sources: this worker's own. Where each client has its own, nothing may be kept.
    public init(
        to candidates: [SocketAddress], limits: Limits, hold: HoldCoordinator, admission queue: AdmissionQueue?,
        member: AdmissionQueue.Member, sources: LoopbackSources = LoopbackSources(), on loop: EventLoop
    ) throws(SystemError) {
        self.hold = hold
        self.member = member
        self.loop = loop
        longestRest = min(limits.pool.idleTimeout, limits.queueTimeout / 2)
        connector = try Connector(
            to: candidates, limits: limits.connector, hold: hold, worker: member.worker, sources: sources, on: loop)
        if let queue {
            let line = try AdmissionLine(
                for: queue, patience: limits.queueTimeout, hold: limits.connector.hold, coordinator: hold, on: loop)
            admission = (queue, line)
        } else {
            admission = nil
        }
        let keepsAny = limits.pool.spare > 0 || limits.pool.idle > 0
        keeping = keepsAny ? try ConnectionPool(limits.pool, coordinator: hold, on: loop) : nil
        // Requests keep the connector, and may outlive what is asked through here.
        connector.onObstacle = { [weak self] obstacle in
            self?.onNews?(.obstacle(obstacle))
        }
        keeping?.onDrop = { count in queue?.keptLess(by: member, now: count) }
        refillSoon()
    }

    /// Called with the times of each request that waited or had the app called, just before it is answered.
    public var onAnswer: ((ConnectRequest.Times) -> Void)? {
        get { connector.onAnswer }
        set { connector.onAnswer = newValue }
    }

    /// The source addresses of its connections.
    public var sources: LoopbackSources { connector.sources }

    /// The connections that are kept; nil where none ever are.
    public var pool: ConnectionPool? { keeping }

    /// The number of clients that wait for an app that is not there.
    public var holdingCount: Int { connector.waitingCount }

    /// The number of clients that wait for their turn.
    public var queuedCount: Int { admission?.line.count ?? 0 }

    // MARK: Clients

    /// Asks for a connection to the app. `completion` is called once, maybe before this returns; never once the caller
    /// has let go of what this returns.
    /// - Parameter client: who may have a source address of its own; nil for nobody in particular.
    public func connect(
        for client: IPAddress? = nil, _ completion: @escaping (ConnectRequest.Result) -> Void
    ) -> ConnectRequest {
        let request = request(for: client, completion)
        if let keeping, let connection = takeKept(from: keeping, at: .coarse) {
            request.complete(.connected(connection))
        } else {
            admit(request)
        }
        return ConnectRequest(request)
    }

    /// Asks as ``connect(for:_:)`` does, but for a connection that nobody has used.
    public func connectAnew(
        for client: IPAddress? = nil, _ completion: @escaping (ConnectRequest.Result) -> Void
    ) -> ConnectRequest {
        let request = request(for: client, completion)
        admit(request)
        return ConnectRequest(request)
    }

    /// A kept connection, if there is one: the way for those who ask often, as it takes no memory.
    /// - Parameter now: the time, which they know already.
    public func takeKept(at now: MonotonicTime) -> AppConnection? {
        guard let keeping, let connection = takeKept(from: keeping, at: now) else { return nil }
        connection.uses += 1
        refillSoon()
        return connection
    }

    private func request(
        for client: IPAddress?, _ completion: @escaping (ConnectRequest.Result) -> Void
    ) -> PendingRequest {
        guard keeping != nil else { return PendingRequest(to: connector, for: client, completion) }
        return PendingRequest(to: connector, for: client) { [self] result in
            // Whoever is served pays for the next one's spare.
            if case .connected = result { refillSoon() }
            completion(result)
        }
    }

    private func takeKept(from pool: ConnectionPool, at now: MonotonicTime) -> AppConnection? {
        if let queue = admission?.queue, pool.count > 0, !queue.claimKept(by: member) { return nil }
        defer { admission?.queue.keptLess(by: member, now: pool.count) }
        return pool.take(at: now)
    }

    private func admit(_ request: PendingRequest) {
        guard let admission else { return connector.connect(request) }
        switch admission.queue.enter(from: member) {
        case .granted(let permit):
            request.permit = permit
            connector.connect(request)
        case .waits(let ticket, let isNews):
            admission.line.append(request, ticket: ticket)
            if isNews { onNews?(.clientsWait) }
        case .full(let isNews):
            if isNews { onNews?(.queueFull) }
            request.complete(.queueFull)
        }
    }

    /// Takes what another worker of the route has to say about the app.
    public func receive(_ news: HoldCoordinator.News) {
        connector.receive(news)
    }

    /// Takes what the queue has to say.
    public func receive(_ news: AdmissionQueue.News) {
        guard let admission else { return }
        switch news {
        case .granted(let ticket, let permit):
            guard let request = admission.line.take(ticket) else { return }
            request.permit = permit
            connector.connect(request)
        case .closeIdle:
            keeping?.shrink(to: admission.queue.mayKeep(member))
        }
    }

    // MARK: Connections that nobody uses

    /// Puts a connection back that can be used again; it must be at the end of an answer, with nothing left to be read.
    /// It is closed where it is not worth keeping.
    /// - Parameter now: the time, for those who know it already.
    public func giveBack(_ connection: AppConnection, at now: MonotonicTime = .coarse) {
        assert(!connection.isOneClients, "the connection is known to the app as somebody's")
        guard !isDraining, let keeping, !connection.isOneClients else { return }
        switch admission?.queue.keep(for: member) {
        case .keep?:
            if !mayKeep || !keeping.put(connection, at: now) {
                admission?.queue.keptLess(by: member, now: keeping.count)
            }
        case nil: if mayKeep { keeping.put(connection, at: now) }
        case .serve(let ticket)?:
            // The permit stays with the socket.
            admission?.line.take(ticket)?.complete(.connected(connection))
        case .close?: break
        }
    }

    /// Takes note that a client's own connection is used no more for now: it stays with whoever has it, is no part of the
    /// pool, and has none of the pool's limits.
    public func rest(_ connection: AppConnection, at now: MonotonicTime) {
        assert(connection.isOneClients)
        connection.idleSince = now
    }

    /// Takes note that a client's own connection is used again.
    public func wake(_ connection: AppConnection) {
        connection.uses += 1
    }

    /// Whether a client's own connection has rested for so long that it is to be closed for somebody who waits for its
    /// permit. Until then it has its permit: to log in takes several requests.
    public func mustMakeWay(_ connection: AppConnection, at now: MonotonicTime) -> Bool {
        guard let queue = admission?.queue, now.since(connection.idleSince) >= longestRest else { return false }
        return queue.lacksPermits
    }

    /// Whether connections are kept at all; those that are when it becomes false are closed. Clients are served as before.
    public var mayKeep = true {
        didSet {
            if !mayKeep { keeping?.removeAll(appHasGone: false) } else if !oldValue { refillSoon() }
        }
    }

    /// Closes what is kept, and keeps nothing from now on; clients are served still.
    public func drain() {
        isDraining = true
        connector.cancelSpare()
        keeping?.removeAll(appHasGone: false)
    }

    private func refillSoon() {
        guard !isRefillDue, !isDraining, mayKeep, let keeping, keeping.missingSpares > 0 else { return }
        isRefillDue = true
        loop.onNextTurn { [weak self] in
            self?.isRefillDue = false
            self?.refill()
        }
    }

    /// Opens one connection ahead, and the next one when that is there: an app that is slow to take them is not met with all
    /// at once.
    private func refill() {
        guard !isDraining, mayKeep, !isOpeningSpare, let keeping, keeping.missingSpares > 0 else { return }
        var permit: AdmissionPermit?
        if let queue = admission?.queue {
            permit = queue.permitForSpare()
            if permit == nil { return }
        }
        isOpeningSpare = true
        connector.openSpare { [weak self] connection in
            guard let self else { return }
            isOpeningSpare = false
            guard let connection else {
                // What else is kept leads to an app that has gone.
                if hold.health.isDown { keeping.removeAll(appHasGone: true) }
                return
            }
            connection.socket.releasedAfterClosing = permit
            giveBack(connection)
            refillSoon()
        }
    }
}

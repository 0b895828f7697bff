internal import Access
internal import Configuration
internal import EventLoop
internal import HTTP1
internal import Memory
internal import Network
internal import Observability
internal import Passwords
internal import Relay
internal import TLS
internal import Upstream

/// One thread's share of the traffic: its loop, its listening sockets, its sessions.
///
/// Everything here belongs to the worker's thread; a worker is told what to do through its mailbox and reports
/// through the server's.
final class Worker {
    /// What all workers have in common.
    struct Environment: Sendable {
        /// Places for connections as far as file descriptors allow.
        let descriptors: ConnectionBudget
        /// How many pipes the worker's relays may have open.
        let pipes: Int
        let memory: MemoryWatch
        /// How many bytes the worker's relays may park where memory is not short.
        let parkingLimit: Int
        let log: Log
        /// See ``Server/appLife``.
        let appLife: (@Sendable () -> AppLife)?

        var listenersLog: Log { log.part(.listeners) }
        var upstreamLog: Log { log.part(.upstream) }
    }

    let workspace: RelayWorkspace
    /// What it may use of the memory that is left.
    let memory: MemoryAllowance
    /// How short memory is, as far as it was told.
    private var memoryLevel = MemoryGauge.Level.ample
    /// What the kernel may hold in each direction of a connection; nil where it decides that.
    private var bufferBound: Int?
    private lazy var tlsWorkspace = TLSWorkspace()
    private let clock = TurnClock()
    /// Whether each connection gets a line in the log when it ends.
    private(set) var logsAccess: Bool

    private let number: Int
    private let environment: Environment
    private let loop: EventLoop
    private var routes: [Int: WorkerRoute] = [:]
    /// What is counted, by the names of the routes that have not been removed.
    private var traffic: [String: RouteTraffic] = [:]
    private let report: (WorkerReport) -> Void
    private let commands: Mailbox<WorkerCommand>
    /// Who waits for the password thread, by ticket.
    private var passwordQuestions: [UInt64: (Bool) -> Void] = [:]
    private var lastTicket: UInt64 = 0
    private var acceptors: [Int: Acceptor] = [:]
    private var datagramListeners: [Int: DatagramListener] = [:]
    /// What could not be done for want of memory; tried again with what could not be watched.
    private var stalled = StalledCommands()
    /// Made for the first of them.
    private var datagramWorkspace: DatagramWorkspace?
    private var sessions: [any Session] = []
    /// No more clients are to come.
    private(set) var isDraining = false
    private var mailboxEvent: IOEvent?
    private var sweep: Deadline?
    /// For how long the sweep was put off when it was scheduled.
    private var sweepDelay = Duration.zero
    private var retryAccepting: Timer?
    private var lateDrain: Timer?
    /// How long a newcomer may take for its first words.
    private static let newcomersMoment = Duration.seconds(1)
    private var logScratch: [UInt8] = []
    private var connectionIDs = ConnectionIDs()

    /// - Parameter report: called with what the control thread is to know.
    init(
        _ number: Int, in environment: Environment, logsAccess: Bool, commands: Mailbox<WorkerCommand>,
        on loop: EventLoop, report: @escaping (WorkerReport) -> Void
    ) throws(SystemError) {
        self.number = number
        self.environment = environment
        self.logsAccess = logsAccess
        self.loop = loop
        self.report = report
        self.commands = commands
        memory = MemoryAllowance(from: environment.memory, worker: number)
        workspace = RelayWorkspace(
            on: loop, parkingLimit: environment.parkingLimit, pipes: environment.pipes, memory: memory)
        sweep = try Deadline(on: loop) { [unowned self] in sweepSessions($0) }
        lateDrain = try Timer(on: loop) { [unowned self] in drainSessions() }
        retryAccepting = try Timer(on: loop) { [unowned self] in
            for command in stalled.takeAll() { receive(command) }
            resumeAccepting()
        }
        mailboxEvent = try commands.open(on: loop) { [unowned self] in receive($0) }
    }

    private func receive(_ command: WorkerCommand) {
        if stalled.holdsUp(command) { return stalled.add(command) }
        switch command {
        case .addRoute(let number, let shared, let workers):
            do {
                let traffic = traffic[shared.configuration.name] ?? RouteTraffic()
                let route = try WorkerRoute(
                    shared, number: number, worker: self.number, of: workers, traffic: traffic, clock: clock, on: loop)
                route.app.onNews = { [unowned self, unowned route] in report($0, on: route) }
                route.app.sources.onTrouble = { [unowned self, unowned route] in report($0, on: route) }
                route.app.mayKeep = memoryLevel == .ample
                routes[number] = route
                self.traffic[shared.configuration.name] = traffic
                sweepEarlier()
            } catch {
                stall(command, error)
            }
        case .removeRoute(let number):
            stalled.forget(route: number)
            guard let route = routes[number] else { return }
            route.isRemoved = true
            route.app.drain()
            drainSessions(of: route)
            endCounting(on: route)
            if route.sessions == 0 { forget(route) }
        case .listen(let listener, let route, let handoff, let turn, let outlivesUs):
            guard let socket = handoff.take(), let route = routes[route] else { return }
            let acceptor = Acceptor(
                socket, turn: turn, outlivesUs: outlivesUs, route: route, worker: self, on: loop)
            acceptors[listener] = acceptor
            acceptor.resume()
        case .listenForDatagrams(let listener, let route, let handoff):
            guard let route = routes[route] else { return }
            do throws(SystemError) {
                try listenForDatagrams(listener, on: handoff, route)
            } catch {
                stall(command, error)
            }
        case .handOver(let listener, let route):
            guard !stalled.handOver(listener: listener, to: route), let route = routes[route] else { return }
            acceptors[listener]?.handOver(to: route)
            datagramListeners[listener]?.handOver(to: route)
        case .closeListener(let listener):
            stalled.forget(listener: listener)
            acceptors.removeValue(forKey: listener)?.acceptBacklog()
            datagramListeners[listener]?.drain()
        case .abortRoute(let number):
            for session in sessions where session.route.number == number { session.abort(.routeRemoved) }
            for listener in datagramListeners.values { listener.abort(.routeRemoved, route: number) }
        case .logAccess(let logsAccess):
            self.logsAccess = logsAccess
        case .resumeAccepting:
            resumeAccepting()
        case .memory(let level, let socketsCount):
            memoryLevel = level
            shrinkOrGrow()
            if socketsCount || bufferBound != nil { boundBuffers() }
        case .news(let news, let route):
            routes[route]?.app.receive(news)
        case .admission(let news, let route):
            // What nobody takes here goes back by itself.
            routes[route]?.app.receive(news)
        case .passwordChecked(let ticket, let isRight):
            passwordQuestions.removeValue(forKey: ticket)?(isRight)
        case .report(let posted):
            report(.snapshot(snapshot(askedFor: posted)))
        case .drain:
            for route in routes.values { route.app.drain() }
            isDraining = true
            stalled = StalledCommands()
            drainAllButNewcomers()
            for acceptor in acceptors.values where !acceptor.outlivesUs { acceptor.acceptBacklog() }
            acceptors = [:]
            for listener in datagramListeners.values { listener.drain() }
            reportIfDrained()
        case .abort:
            for session in sessions { session.abort(.drained) }
            for listener in datagramListeners.values { listener.abort(.drained) }
        }
    }

    private func report(_ news: AppConnections.News, on route: WorkerRoute) {
        let bound = route.configuration.upstreamConnections
        let fields: Log.Fields = [
            "route": .text(route.configuration.name), "upstream_connections": .number(bound.max ?? 0),
            "queue": .number(bound.queue),
        ]
        switch news {
        case .obstacle(let obstacle): report(obstacle, on: route)
        case .clientsWait:
            environment.upstreamLog.info("the app has all the connections that it may have; clients queue", fields)
        case .queueFull:
            environment.upstreamLog.warning("the queue for the app is full: further clients are reset", fields)
        }
    }

    private func report(_ obstacle: Connector.Obstacle?, on route: WorkerRoute) {
        let upstream = route.configuration.upstream
        let hold = route.configuration.hold
        let fields: Log.Fields = ["route": .text(route.configuration.name)]
        switch obstacle {
        case .notListening:
            environment.upstreamLog.warning(
                "the app at \(upstream) is not listening; clients wait up to \(durationText(hold))", fields)
        case .busy:
            environment.upstreamLog.warning("the app at \(upstream) takes no more connections; clients wait", fields)
        case nil:
            environment.upstreamLog.info("the app at \(upstream) answers", fields)
        }
    }

    private func report(_ trouble: SourceTrouble, on route: WorkerRoute) {
        environment.upstreamLog.warning("\(trouble)", ["route": .text(route.configuration.name)])
    }

    /// A question for the password thread.
    /// - Parameter answer: called on this thread, unless the question is withdrawn; with the question.
    func question(
        _ credentials: BasicCredentials, in file: PasswordFile,
        answer: @escaping (PasswordThread.Question, Bool) -> Void
    ) -> PasswordThread.Question {
        lastTicket += 1
        let (ticket, commands) = (lastTicket, commands)
        let question = PasswordThread.Question(credentials, in: file, ticket: ticket) { isRight in
            commands.post(.passwordChecked(ticket: ticket, isRight: isRight))
        }
        passwordQuestions[ticket] = { answer(question, $0) }
        return question
    }

    /// Nobody wants to know any more.
    func withdraw(_ question: PasswordThread.Question) {
        question.withdraw()
        passwordQuestions[question.ticket] = nil
    }

    // MARK: Places

    /// Takes a place for one more client, in the route and among the descriptors.
    func takePlace(on route: WorkerRoute) -> Bool {
        switch route.shared.connections.take(for: number) {
        case .granted: break
        case .full(let isNews):
            if isNews {
                environment.listenersLog.warning(
                    "max_connections reached: further clients wait to be accepted",
                    [
                        "route": .text(route.configuration.name),
                        "max_connections": .number(route.shared.connections.limit),
                    ])
            }
            return false
        }
        switch environment.descriptors.take(for: number) {
        case .granted: return true
        case .full(let isNews):
            if isNews {
                environment.listenersLog.warning(
                    "the limit of open files is reached: further clients wait to be accepted",
                    ["connections": .number(environment.descriptors.limit)])
            }
            route.shared.connections.giveBack()
            return false
        }
    }

    func giveBackPlace(on route: WorkerRoute) {
        environment.descriptors.giveBack()
        route.shared.connections.giveBack()
    }

    /// The system has no descriptors or no memory left, whatever our own account says: try again in a while.
    func outOfDescriptors(_ error: SystemError) {
        guard let retryAccepting, !retryAccepting.isScheduled else { return }
        environment.listenersLog.warning("cannot accept connections for now", ["reason": .text(error.description)])
        retryAccepting.schedule(after: .seconds(1))
    }

    private func resumeAccepting() {
        for acceptor in acceptors.values { acceptor.resume() }
        for listener in datagramListeners.values { listener.resume() }
    }

    /// There is no memory for what was asked of us: try again in a while.
    private func stall(_ command: WorkerCommand, _ error: SystemError) {
        stalled.add(command, because: error)
        outOfDescriptors(error)
    }

    /// What keeps clients of routes from being accepted here though there is room for them, by the routes' names.
    private var obstacles: [String: String] {
        var obstacles: [String: String] = [:]
        for acceptor in acceptors.values {
            if let obstacle = acceptor.obstacle { obstacles[acceptor.route.configuration.name] = obstacle.description }
        }
        for listener in datagramListeners.values {
            if let obstacle = listener.obstacle { obstacles[listener.route.configuration.name] = obstacle.description }
        }
        if let reason = stalled.reason {
            let names = stalled.names
            for number in stalled.routes {
                guard let name = routes[number]?.configuration.name ?? names[number] else { continue }
                obstacles[name] = reason.description
            }
        }
        return obstacles
    }

    // MARK: Memory

    /// Keeps as much as there is memory for: first goes what only makes things faster.
    private func shrinkOrGrow() {
        memory.forgetGrant()
        workspace.parkingLimit =
            switch memoryLevel {
            case .ample: environment.parkingLimit
            case .tight: environment.parkingLimit / 4
            case .critical: 0
            }
        for route in routes.values {
            route.app.mayKeep = memoryLevel == .ample
            if memoryLevel > .ample { route.http?.forgetIdleExchanges() }
        }
    }

    /// Where what the kernel holds for sockets counts against the limit, that is most of what slow readers cost.
    private func boundBuffers() {
        let before = bufferBound
        bufferBound =
            switch memoryLevel {
            case .ample: nil
            case .tight: MemoryCost.tightBuffers
            case .critical: MemoryCost.criticalBuffers
            }
        // Once more while it holds, for those who have got a connection to the app since.
        if bufferBound != nil || before != nil { for session in sessions { session.boundBuffers(to: bufferBound) } }
    }

    /// Whether there is memory for one more client's connection.
    func hasMemoryForClient() -> Bool {
        let cost = MemoryCost.connection + (memory.includesSockets ? MemoryCost.buffers : 0)
        return memory.take(cost, for: .newcomer)
    }

    // MARK: Datagrams

    private func listenForDatagrams(
        _ number: Int, on socket: Handoff<DatagramSocket>, _ route: WorkerRoute
    ) throws(SystemError) {
        guard let datagrams = route.datagrams else { return }
        let workspace: DatagramWorkspace
        if let known = datagramWorkspace { workspace = known } else { workspace = try DatagramWorkspace(on: loop) }
        datagramWorkspace = workspace
        let listener = try DatagramListener(
            socket, route: route, datagrams: datagrams, worker: self, in: workspace, on: loop
        ) { [unowned self] in
            datagramListeners[number] = nil
            if isDraining { reportIfDrained() }
        }
        datagramListeners[number] = listener
        listener.resume()
    }

    /// Takes a place for one more flow, in the route and among the descriptors. Nobody waits for one: what finds none is
    /// dropped.
    func takePlaceForFlow(on route: WorkerRoute) -> Bool {
        if case .full(let isNews) = route.shared.connections.take(for: nil) {
            if isNews {
                environment.listenersLog.warning(
                    "max_connections reached: new clients take the place of silent ones, or their datagrams are dropped",
                    [
                        "route": .text(route.configuration.name),
                        "max_connections": .number(route.shared.connections.limit),
                    ])
            }
            return false
        }
        if case .full(let isNews) = environment.descriptors.take(for: nil) {
            if isNews {
                environment.listenersLog.warning(
                    "the limit of open files is reached: datagrams of new clients are dropped",
                    ["connections": .number(environment.descriptors.limit)])
            }
            route.shared.connections.giveBack()
            return false
        }
        return true
    }

    /// The system gives no socket for a flow, whatever our own account says.
    func cannotOpenFlow(_ error: SystemError, on route: WorkerRoute) {
        complain(
            of: route, "cannot open a socket to the app at \(route.configuration.upstream): datagrams are dropped",
            reason: error.description)
    }

    /// Nobody listens where a route's datagrams lead.
    func appIsAway(_ route: WorkerRoute) {
        complain(of: route, "the app at \(route.configuration.upstream) is not listening: datagrams are dropped")
    }

    /// Every datagram could give a reason to complain; it is said now and then.
    private func complain(of route: WorkerRoute, _ message: String, reason: String? = nil) {
        guard let datagrams = route.datagrams else { return }
        let now = MonotonicTime.coarse
        if let last = datagrams.complaints[message], now.since(last) < .seconds(60) { return }
        datagrams.complaints[message] = now
        environment.upstreamLog.warning(
            message,
            ["route": .text(route.configuration.name), "reason": reason.map { .text($0) } ?? .nothing])
    }

    /// Counts a flow for which a place was taken.
    func flowBegan(on route: WorkerRoute) {
        route.sessions += 1
        route.traffic.tally.countConnection()
    }

    /// Gives back what a flow had.
    func ended(_ flow: DatagramFlow, on route: WorkerRoute, _ cause: FailureCause?) {
        // The relay has counted its bytes as they went.
        route.traffic.tally.countEnd(after: flow.started, bytesToApp: 0, bytesToClient: 0)
        if let cause { route.traffic.tally.countFailure(cause) }
        giveBackPlace(on: route)
        route.sessions -= 1
        if route.isRemoved, route.sessions == 0 { forget(route) }
    }

    /// Writes down a flow that has ended, where that is wanted.
    func log(_ summary: @autoclosure () -> FlowSummary) {
        if logsAccess { summary().write(to: environment.log) }
    }

    // MARK: Sessions

    /// Begins a session with a client for whom a place was taken.
    /// - Parameter place: what the client has to hold as long as it is connected, if anything.
    /// - Returns: false when the system has no room for it; the client is reset then.
    func accepted(
        _ socket: consuming Socket, from client: SocketAddress, holding place: ClientPermit?, on route: WorkerRoute
    ) -> Bool {
        let channel = route.shared.tls.map { _ in TLSChannel(in: tlsWorkspace) }
        let watched: WatchedSocket
        do {
            if let channel {
                watched = try WatchedSocket(socket.through(channel), on: loop)
            } else {
                watched = try WatchedSocket(socket, on: loop)
            }
        } catch {
            giveBackPlace(on: route)
            outOfDescriptors(error)
            return false
        }
        let session = nextSession(
            for: ClientConnection(
                watched, from: client, on: route, of: self, through: channel, holding: place,
                awaitsProxyHeader: route.expectsProxyHeader(from: client)))
        session.index = sessions.count
        route.sessions += 1
        route.tally.countConnection()
        sessions.append(session)
        if sessions.count == 1 { scheduleSweep() }
        if let bufferBound { watched.socket.boundBuffers(to: bufferBound) }
        session.start()
        return true
    }

    /// Resets a client that is not let in, and for whom a place was taken. Nothing of it is read, and nobody is called.
    func refuse(
        _ socket: consuming Socket, from client: SocketAddress, on route: WorkerRoute, _ refusal: ClientRefusal
    ) {
        socket.resetWhenClosed()
        giveBackPlace(on: route)
        noteRefusal(refusal, of: client, on: route)
    }

    /// Counts a client that is not let in, and says so now and then.
    func noteRefusal(_ refusal: ClientRefusal, of client: SocketAddress, on route: WorkerRoute) {
        guard let count = route.note(refusal) else { return }
        environment.listenersLog.info(
            "a client was turned away: \(refusal.explanation)",
            [
                "client": .text(client.description), "route": .text(route.configuration.name),
                "clients": .number(count),
            ])
    }

    /// Says what becomes of a flood of clients that are not let in.
    func tellOfFlood(_ news: FloodNews, on route: WorkerRoute) {
        let name = Log.Value.text(route.configuration.name)
        switch news {
        case .begins(let perSecond):
            environment.listenersLog.warning(
                "a flood of clients whose address is not allowed: the system drops what they send, and they get no answer",
                ["route": name, "clients_per_second": .number(perSecond)])
        case .ends(let dropped):
            environment.listenersLog.info(
                "the flood of clients whose address is not allowed is over: they are reset again",
                ["route": name, "dropped": .number(dropped)])
        case .cannotBeDropped(let reason):
            environment.listenersLog.info(
                "a flood of clients whose address is not allowed: each is reset, for the system cannot drop what they send",
                ["route": name, "reason": .text(reason)])
        }
    }

    /// The stages of a client's connection in their order, the last of which speaks the route's protocol.
    private func nextSession(for connection: consuming ClientConnection) -> any Session {
        if connection.awaitsProxyHeader { return ProxyHeaderReader(connection) }
        if connection.awaitsTLS, let channel = connection.tls { return TLSHandshake(connection, through: channel) }
        if let http = connection.route.http { return HTTPSession(connection, as: http) }
        return TCPSession(connection)
    }

    /// Has the next stage go on with a session's connection.
    func goOn(from session: some Session) {
        let route = session.route
        let successor = nextSession(for: session.connection.handOn())
        successor.index = session.index
        sessions[session.index] = successor
        successor.start()
        if isDraining || route.isRemoved { successor.drain() }
    }

    /// See ``Server/appLife``.
    var appLife: (@Sendable () -> AppLife)? { environment.appLife }

    /// A name for a connection that no other one has.
    func takeConnectionID() -> [UInt8] { connectionIDs.take() }

    /// Called by a session as its last act.
    /// - Parameter bytesMoved: what its ``Session/bytesMoved`` were at last.
    func ended(_ session: some Session, bytesMoved: (toApp: UInt64, toClient: UInt64)) {
        let route = session.route
        route.tally.countEnd(
            after: session.started, bytesToApp: bytesMoved.toApp, bytesToClient: bytesMoved.toClient)
        let last = sessions.removeLast()
        if last !== session {
            last.index = session.index
            sessions[session.index] = last
        }
        session.connection.end()
        giveBackPlace(on: route)
        route.sessions -= 1
        if route.isRemoved, route.sessions == 0 { forget(route) }
        if isDraining { reportIfDrained() }
    }

    /// Says what is wrong with how clients come.
    func warn(_ message: String, _ fields: Log.Fields) {
        environment.listenersLog.warning(message, fields)
    }

    private func forget(_ route: WorkerRoute) {
        guard routes[route.number] != nil else { return }
        route.traffic.keep(route.app.pool?.counters)
        if let datagrams = route.datagrams { route.traffic.keep(datagrams.account.counters) }
        routes[route.number] = nil
    }

    /// Writes down a connection that has ended, where that is wanted.
    func log(_ summary: @autoclosure () -> SessionSummary) {
        if logsAccess { summary().write(to: environment.log) }
    }

    /// Writes down a request that has ended, where that is wanted.
    func log(_ summary: RequestSummary) {
        if logsAccess { environment.log.info(summary, scratch: &logScratch) }
    }

    // MARK: Counting

    /// What is counted of a route that was removed is nobody's business any more, unless another one has its name.
    private func endCounting(on route: WorkerRoute) {
        let name = route.configuration.name
        guard !routes.values.contains(where: { !$0.isRemoved && $0.configuration.name == name }) else { return }
        traffic[name] = nil
    }

    private func snapshot(askedFor posted: MonotonicTime) -> WorkerSnapshot {
        var snapshot = WorkerSnapshot(
            number: number, posted: posted, loopLag: MonotonicTime.now.since(posted),
            parkedBytes: workspace.parkedBytes, connections: sessions.count)
        for route in routes.values { route.traffic.underWay = RouteTraffic.UnderWay() }
        for acceptor in acceptors.values { acceptor.countDropped() }
        for listener in datagramListeners.values {
            listener.countOverflow()
            snapshot.connections += listener.flowCount
        }
        for session in sessions { session.route.traffic.underWay.add(session) }
        for route in routes.values {
            route.traffic.underWay.add(route.app)
            if let datagrams = route.datagrams { route.traffic.underWay.add(datagrams, flows: route.sessions) }
        }
        snapshot.routes = traffic.mapValues(\.snapshot)
        snapshot.obstacles = obstacles
        return snapshot
    }

    // MARK: Ends

    /// Has the sessions end that have nothing under way: of one route, or all.
    private func drainSessions(of route: WorkerRoute? = nil) {
        for session in sessions where route == nil || session.route === route { session.drain() }
    }

    /// Who has just been accepted on a socket that others accept on after us has not had the time to say anything. Had we left
    /// them alone, they would be served by those; so they get a moment.
    private func drainAllButNewcomers() {
        let inherited = Set(acceptors.values.filter(\.outlivesUs).map(\.routeNumber))
        let now = MonotonicTime.coarse
        var hasNewcomers = false
        for session in sessions {
            if inherited.contains(session.route.number), now.since(session.started) < Self.newcomersMoment {
                hasNewcomers = true
            } else {
                session.drain()
            }
        }
        if hasNewcomers { lateDrain?.schedule(after: Self.newcomersMoment) }
    }

    /// Once: while there are acceptors, further sessions may come, and afterwards none does.
    private func reportIfDrained() {
        if sessions.isEmpty, acceptors.isEmpty, datagramListeners.isEmpty { report(.drained) }
    }

    /// One timer looks at all sessions now and then; a timer each would cost memory and be set anew with every
    /// byte. So a timeout is late by up to an eighth of the shortest one.
    private func scheduleSweep() {
        sweepDelay = wantedSweepDelay
        sweep?.schedule(after: sweepDelay)
    }

    private var wantedSweepDelay: Duration {
        let shortest = routes.values.map(\.shortestTimeout).min()
        return min(max((shortest ?? .seconds(60)) / 8, .milliseconds(10)), .seconds(60))
    }

    /// A route has come whose timeouts may be shorter than those that the next look was planned for. Nothing else moves
    /// it, or a crowd of new routes could put it off forever.
    private func sweepEarlier() {
        if !sessions.isEmpty, wantedSweepDelay < sweepDelay { scheduleSweep() }
    }

    private func sweepSessions(_ hearing: Hearing) {
        for session in sessions { session.checkTimeouts(hearing) }
        if !sessions.isEmpty { scheduleSweep() }
    }
}

internal import Access
internal import Configuration
internal import EventLoop
internal import Memory
internal import Network
internal import Observability
internal import Relay
internal import Upstream

/// One thread's share of the traffic: its routes, and its listeners, whose clients go through the ``ClientPipeline``.
///
/// Belongs to its thread. A worker gets its commands through its mailbox and reports
/// through the server's.
final class Worker {
    /// The values that all workers have in common.
    struct Environment: Sendable {
        /// Permits for connections as far as file descriptors allow.
        let descriptors: ConnectionBudget
        /// The number of pipes that the worker's relays may have open.
        let pipes: Int
        let memory: MemoryWatch
        /// The bytes that the worker's relays may park while memory is not short.
        let parkingLimit: Int
        let log: Log
        /// See ``Server/appLife``.
        let appLife: (@Sendable () -> AppLife)?

        var listenersLog: Log { log.part(.listeners) }
        var upstreamLog: Log { log.part(.upstream) }
    }

    private let context: WorkerContext
    private var routes: [Int: WorkerRoute] = [:]
    /// The counts, by the names of the routes that have not been removed.
    private var traffic: [String: RouteTraffic] = [:]
    private let report: (WorkerReport) -> Void
    private var acceptors: [Int: Acceptor] = [:]
    private var datagramListeners: [Int: DatagramListener] = [:]
    /// The errors of listeners that the kernel does not watch, by their numbers; tried again in a while.
    private var unwatched: [Int: SystemError] = [:]
    /// The commands that failed for want of memory; tried again likewise.
    private var stalled = StalledCommands()
    /// Made for the first listener of datagrams.
    private var datagramWorkspace: DatagramWorkspace?
    /// The shortage of memory that the worker was told of last.
    private var memoryLevel = MemoryGauge.Level.ample
    private var mailboxEvent: IOEvent?
    private var lateDrain: Timer?
    /// The time that a newcomer has for its first words.
    private static let newcomersMoment = Duration.seconds(1)

    /// - Parameter report: called with reports for the control thread.
    init(
        _ number: Int, in environment: Environment, logsAccess: Bool, commands: Mailbox<WorkerCommand>,
        on loop: EventLoop, report: @escaping (WorkerReport) -> Void
    ) throws(SystemError) {
        self.report = report
        context = try WorkerContext(number, in: environment, logsAccess: logsAccess, commands: commands, on: loop)
        context.onRetry = { [weak self] in self?.tryAgain() }
        // The worker owns its timer and its mailbox's event, and no other owner is there.
        lateDrain = try Timer(on: loop) { [unowned self] in context.sessions.drain() }
        mailboxEvent = try commands.open(on: loop) { [unowned self] in receive($0) }
    }

    private func receive(_ command: WorkerCommand) {
        if stalled.holdsUp(command) { return stalled.add(command) }
        switch command {
        case .addRoute(let number, let shared, let workers): addRoute(number, shared, workers: workers, command)
        case .removeRoute(let number): removeRoute(number)
        case .listen(let listener, let route, let handoff, let turn, let outlivesUs):
            guard let socket = handoff.take(), let route = routes[route] else { return }
            let acceptor = Acceptor(socket, turn: turn, outlivesUs: outlivesUs, route: route)
            acceptors[listener] = acceptor
            resume(listener, acceptor)
        case .listenForDatagrams(let listener, let route, let handoff):
            guard let route = routes[route] else { return }
            do throws(SystemError) {
                try listenForDatagrams(listener, on: handoff, route)
            } catch {
                stall(command, error)
            }
        case .handOver(let listener, let route):
            guard !stalled.handOver(listener: listener, to: route), let route = routes[route] else { return }
            guard let taken = self.listener(listener) else { return }
            taken.handOver(to: route)
            resume(listener, taken)
        case .closeListener(let listener):
            stalled.forget(listener: listener)
            unwatched[listener] = nil
            acceptors.removeValue(forKey: listener)?.acceptBacklog()
            datagramListeners[listener]?.drain()
        case .abortRoute(let number):
            context.sessions.abort(.routeRemoved, route: number)
            for listener in datagramListeners.values { listener.abort(.routeRemoved, route: number) }
        case .logAccess(let logsAccess): context.logsAccess = logsAccess
        case .resumeAccepting: resumeAccepting()
        case .memory(let level, let socketsCount): memoryIs(level, socketsCount: socketsCount)
        case .news(let news, let route): routes[route]?.app.receive(news)
        // A permit that nobody takes here goes back by itself.
        case .admission(let news, let route): routes[route]?.app.receive(news)
        case .passwordChecked(let ticket, let isRight): context.passwords.receive(ticket, isRight: isRight)
        case .report(let posted): report(.snapshot(snapshot(askedFor: posted)))
        case .drain: drain()
        case .abort:
            context.sessions.abort(.drained)
            for listener in datagramListeners.values { listener.abort(.drained) }
        }
    }

    // MARK: Routes

    private func addRoute(_ number: Int, _ shared: SharedRoute, workers: Int, _ command: WorkerCommand) {
        let name = shared.configuration.name
        do {
            let traffic = traffic[name] ?? RouteTraffic()
            let route = try WorkerRoute(shared, number: number, workers: workers, traffic: traffic, in: context)
            route.onUnused = { [weak self] in self?.forgetIfUnused(number) }
            route.app.mayKeep = memoryLevel == .ample
            routes[number] = route
            self.traffic[name] = traffic
            noteTimeouts()
        } catch {
            stall(command, error)
        }
    }

    private func removeRoute(_ number: Int) {
        stalled.forget(route: number)
        guard let route = routes[number] else { return }
        route.isRemoved = true
        route.app.drain()
        context.sessions.drain(sparing: { $0.route !== route })
        endCounting(on: route)
        forgetIfUnused(number)
    }

    /// Forgets a route that was removed, once its last client has gone.
    private func forgetIfUnused(_ number: Int) {
        guard let route = routes[number], route.isRemoved, route.permits == 0 else { return }
        route.traffic.keep(route.app.pool?.counters)
        if let datagrams = route.datagrams { route.traffic.keep(datagrams.account.counters) }
        routes[number] = nil
        noteTimeouts()
    }

    private func noteTimeouts() {
        context.sessions.shortestTimeout = routes.values.map(\.shortestTimeout).min()
    }

    // MARK: Listeners

    private func listenForDatagrams(
        _ number: Int, on socket: Handoff<DatagramSocket>, _ route: WorkerRoute
    ) throws(SystemError) {
        guard let datagrams = route.datagrams else { return }
        let workspace: DatagramWorkspace
        if let known = datagramWorkspace {
            workspace = known
        } else {
            workspace = try DatagramWorkspace(on: context.loop)
        }
        datagramWorkspace = workspace
        let listener = try DatagramListener(socket, route: route, datagrams: datagrams, in: workspace) { [weak self] in
            self?.ended(datagramListener: number)
        }
        datagramListeners[number] = listener
        resume(number, listener)
    }

    private func ended(datagramListener number: Int) {
        datagramListeners[number] = nil
        reportIfDrained()
    }

    private func resumeAccepting() {
        for (number, acceptor) in acceptors { resume(number, acceptor) }
        for (number, listener) in datagramListeners { resume(number, listener) }
    }

    private func listener(_ number: Int) -> (any Listener)? {
        if let acceptor = acceptors[number] { acceptor } else { datagramListeners[number] }
    }

    private func resume(_ number: Int, _ listener: some Listener) {
        do throws(SystemError) {
            try listener.resume()
            unwatched[number] = nil
        } catch {
            unwatched[number] = error
            context.outOfDescriptors(error)
        }
    }

    private func tryAgain() {
        for command in stalled.takeAll() { receive(command) }
        resumeAccepting()
    }

    /// Keeps a command for which there is no memory, and tries again in a while.
    private func stall(_ command: WorkerCommand, _ error: SystemError) {
        stalled.add(command, because: error)
        context.outOfDescriptors(error)
    }

    /// The reasons why routes' clients are not accepted though there is room for them, by the routes' names.
    private var obstacles: [String: String] {
        var obstacles: [String: String] = [:]
        for (number, reason) in unwatched {
            guard let listener = listener(number) else { continue }
            obstacles[listener.route.configuration.name] = reason.description
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

    /// Adapts to how short memory is: first goes what only makes things faster.
    private func memoryIs(_ level: MemoryGauge.Level, socketsCount: Bool) {
        memoryLevel = level
        context.memory.forgetGrant()
        let parkingLimit = context.environment.parkingLimit
        context.workspace.parkingLimit =
            switch level {
            case .ample: parkingLimit
            case .tight: parkingLimit / 4
            case .critical: 0
            }
        for route in routes.values {
            route.app.mayKeep = level == .ample
            if level > .ample { route.streams.shrink() }
        }
        // Where the kernel's buffers count against the limit, they are most of what slow readers cost.
        guard socketsCount || context.sessions.bufferBound != nil else { return }
        switch level {
        case .ample: context.sessions.boundBuffers(to: nil)
        case .tight: context.sessions.boundBuffers(to: MemoryCost.tightBuffers)
        case .critical: context.sessions.boundBuffers(to: MemoryCost.criticalBuffers)
        }
    }

    // MARK: Counting

    /// Forgets the counts of a route that was removed, unless another one has its name.
    private func endCounting(on route: WorkerRoute) {
        let name = route.configuration.name
        guard !routes.values.contains(where: { !$0.isRemoved && $0.configuration.name == name }) else { return }
        traffic[name] = nil
    }

    private func snapshot(askedFor posted: MonotonicTime) -> WorkerSnapshot {
        var snapshot = WorkerSnapshot(
            number: context.number, posted: posted, loopLag: MonotonicTime.now.since(posted),
            parkedBytes: context.workspace.parkedBytes, connections: context.sessions.count)
        for route in routes.values { route.traffic.underWay = RouteTraffic.UnderWay() }
        for acceptor in acceptors.values { acceptor.countDropped() }
        for listener in datagramListeners.values {
            listener.countDropped()
            snapshot.connections += listener.flowCount
        }
        context.sessions.forEach { $0.route.traffic.underWay.add($0) }
        for route in routes.values {
            route.traffic.underWay.add(route.app)
            if let datagrams = route.datagrams { route.traffic.underWay.add(datagrams, flows: route.permits) }
        }
        snapshot.routes = traffic.mapValues(\.snapshot)
        snapshot.obstacles = obstacles
        return snapshot
    }

    // MARK: The end

    private func drain() {
        for route in routes.values { route.app.drain() }
        context.isDraining = true
        stalled = StalledCommands()
        drainAllButNewcomers()
        for acceptor in acceptors.values where !acceptor.outlivesUs { acceptor.acceptBacklog() }
        acceptors = [:]
        unwatched = [:]
        for listener in datagramListeners.values { listener.drain() }
        context.sessions.onEmpty = { [weak self] in self?.reportIfDrained() }
        reportIfDrained()
    }

    /// Drains all sessions but those that were just accepted on a socket that another process accepts on later. They have had no
    /// time to say anything, and that process would have served them; so they get a moment.
    private func drainAllButNewcomers() {
        let inherited = Set(acceptors.values.filter(\.outlivesUs).map(\.route.number))
        let now = MonotonicTime.coarse
        let hasNewcomers = context.sessions.drain(sparing: { session in
            inherited.contains(session.route.number) && now.since(session.started) < Self.newcomersMoment
        })
        if hasNewcomers { lateDrain?.schedule(after: Self.newcomersMoment) }
    }

    /// Tells the control thread that no client is left, and none will come.
    private func reportIfDrained() {
        guard context.isDraining, context.sessions.isEmpty, datagramListeners.isEmpty else { return }
        report(.drained)
    }
}

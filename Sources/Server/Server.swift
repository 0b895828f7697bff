internal import Access
public import Configuration
internal import Discovery
public import EventLoop
internal import FileWatching
internal import Glibc
internal import Memory
internal import Network
public import Observability
internal import Passwords
public import Proxy
internal import TLS

/// The whole proxy: it opens the listening sockets, starts the workers, follows the interfaces' addresses, and
/// ends in good order when it is told to.
///
/// Everything of the server that is not traffic happens on the loop that it is made with, the control loop.
public final class Server {
    private enum State {
        case notStarted
        case running
        /// No client is accepted any more; `completion` is called when the last connection has ended.
        case draining(completion: () -> Void)
        case ended
    }

    /// What the server works by; a reload replaces it.
    public internal(set) var configuration: Configuration {
        didSet { settings.current = configuration.settings }
    }
    /// The part of it that other threads read.
    private let settings: SettingsInForce
    let log: Log
    let workers: WorkerPool
    var listeners: ListenerSet
    private let inherited: InheritedSockets
    private let manager: ServiceManager?
    private var watchdog: Timer?
    /// The numbers of the configuration's routes, in their order.
    var configuredRoutes: [Int] = []
    /// What the workers share of each route.
    private(set) var shared: [Int: SharedRoute] = [:]
    /// What looks after the files of passwords, by their paths.
    private var passwordWatchers: [String: FileWatcher] = [:]
    private let loop: EventLoop
    private var state = State.notStarted
    /// What all routes' session tickets are sealed with.
    let tickets = TicketKeys()
    private(set) var certificateFiles: CertificateFiles?
    /// What was first wrong with a certificate.
    var tlsFault: TLSFault?
    /// How many files the process may have open.
    private var openFiles = 0
    private var interfaces: InterfaceAddresses?
    /// The addresses that the interfaces had when they could last be read.
    private var lastInterfaces: [InterfaceAddress] = []
    private var drainTimer: Deadline?
    /// The routes that a reload has removed, until their connections have had their time; the first to end is first.
    private var removals: [(route: Int, deadline: MonotonicTime)] = []
    private var removalTimer: Deadline?
    private var retryTimer: Timer?
    /// Runs only as long as memory is short.
    private(set) var memoryTimer: Timer?
    /// How short memory is, as far as it was told.
    var memoryLevel = MemoryGauge.Level.ample
    private(set) var admin: AdminPort?
    /// The Unix sockets by the numbers of their listeners; their files go when these do.
    private var unixSockets: [Int: UnixSocketHolder] = [:]
    /// What we have said that nobody has passed us a socket for.
    private var complaints: Set<ListenAddress> = []
    /// Listeners that could not be opened, and that we have complained about.
    private(set) var failing: Set<ListenerSet.Listener> = []

    /// When the server was made, which is when the program was started but for milliseconds.
    let startTime = Timestamp.now
    /// How often it was asked to take another configuration; the ``Reloader`` keeps the account.
    var reloads = Snapshot.Reloads(lastSuccess: .now)
    /// Routes come while it runs, so that to have none is no mistake yet.
    var findsRoutes = false
    var apps = AppWatch()

    /// Asked about the app's process, on any thread; nil where nobody knows it. To be set before ``start()``.
    public var appLife: (@Sendable () -> AppLife)?

    /// Called when the server cannot go on.
    public var onFailure: ((SystemError) -> Void)?

    /// After how long to try again to open a listener.
    private var retry = ListenRetry()

    /// Makes a server that does nothing yet.
    /// - Throws: ``SystemError`` when the process is out of descriptors or memory.
    public init(_ configuration: Configuration, log: Log, on loop: EventLoop) throws(SystemError) {
        let settings = SettingsInForce(configuration.settings)
        self.settings = settings
        self.configuration = configuration
        let probe: @Sendable () -> MemoryReading? = { MemoryProbe.read(ceiling: settings.current.memory) }
        inherited = InheritedSockets.ofProcess
        listeners = ListenerSet(inherited: inherited.sockets)
        manager = ServiceManager(ProcessStart.environment, log: log.part(.listeners))
        self.loop = loop
        self.log = log.part(.listeners)
        let need = MemoryNeed(probe())
        let count =
            switch configuration.workers {
            case .auto: min(AvailableProcessors.count, need.mostWorkers)
            case .count(let count): count
            }
        workers = try WorkerPool(count: count, probe: probe, on: loop)
        drainTimer = try Deadline(on: loop) { [unowned self] _ in workers.tell(.abort) }
        retryTimer = try Timer(on: loop) { [unowned self] in updateListeners() }
        removalTimer = try Deadline(on: loop) { [unowned self] _ in endRemovedRoutes() }
        interfaces = try InterfaceAddresses(on: loop) { [unowned self] in updateListeners() }
        certificateFiles = CertificateFiles(on: loop, log: self.log) { [unowned self] in certificateChanged($0) }
        if let interval = manager?.watchdogInterval {
            watchdog = try Timer(on: loop) { [unowned self] in turnWatchdog(after: interval) }
        }
        let diagnosis = BackgroundDiagnosis(on: loop)
        let sources = AdminServer.Sources(
            snapshot: { [unowned self] in snapshot($0) },
            configuration: { [unowned self] in try? self.configuration.yaml },
            diagnosis: diagnosis.start)
        admin = try AdminPort(sources, log: log, on: loop)
        memoryTimer = try Timer(on: loop) { [unowned self] in lookAtMemoryAgain() }
        workers.onMemoryNews = { [unowned self] in memoryChanged($0) }
        workers.onDrained = { [unowned self] in drained() }
        workers.onFailure = { [unowned self] error in onFailure?(error) }
    }

    /// Opens the configured routes' listening sockets and starts the workers.
    /// - Throws: ``ListenError`` when a listening socket cannot be had, ``SystemError`` when the system refuses what
    ///   every start needs, ``TLSFault`` where a certificate is no good.
    public func start() throws {
        openFiles = ProcessLimits.raiseOpenFiles()
        ProcessLimits.ignoreBrokenPipes()
        ProcessLimits.returnLargeBlocksAtOnce()
        let need = try findMemory()
        if configuration.speaksTLS { ProcessLimits.keepMemoryPrivate() }
        configuredRoutes = configuration.routes.map { register($0) }
        if let tlsFault { throw tlsFault }
        lastInterfaces = try InterfaceAddresses.current()
        if let missing = listeners.withoutSocket.first { throw ListenError(missing.listen, among: inherited) }
        let wanted = listeners.wanted(given: lastInterfaces)
        for listener in wanted {
            do {
                try open(listener)
            } catch  where ListenRetry.isOptional(listener.address, error) {
                log.debug("not listening on \(listener.address)", ["reason": .text(error.reason)])
            } catch {
                throw ListenError(listener, error)
            }
        }
        try admin?.start(configuration.admin)
        try workers.start(
            connections: connectionsThatFit, pipes: Self.pipes(within: openFiles),
            parking: need.parking(workers: workers.count), log: log, logsAccess: configuration.log.access,
            appLife: appLife)
        state = .running
        followCertificates()
        for route in listeners.routes.keys.sorted() { announce(route) }
        for socket in listeners.unused(given: wanted) {
            log.warning("the inherited socket \(socket.described) is used by no route")
        }
        tellReady()
        if let interval = manager?.watchdogInterval {
            watchdog?.schedule(after: interval)
        }
        // A change before anybody asks is one.
        lookAtApps()
    }

    /// The inodes of the sockets that the server listens on, the admin port's among them.
    public var listeningInodes: Set<UInt64> { listeners.inodes.union(admin?.inodes ?? []) }

    // MARK: Routes

    /// Whether clients are accepted.
    var isRunning: Bool {
        if case .running = state { true } else { false }
    }

    /// Whether the end has begun.
    var isDraining: Bool {
        switch state {
        case .notStarted, .running: false
        case .draining, .ended: true
        }
    }

    /// Adds a route while the server runs; one that is draining accepts nobody on it. A listener that cannot be had is
    /// reported in the log, and tried again.
    /// - Parameter processes: the names of those who listen at its upstream, where they are known.
    /// - Returns: the number by which the route can be removed.
    public func add(_ route: Route, upstreamOf processes: [String] = []) -> Int {
        let number = register(route)
        followCertificates()
        guard isRunning else { return number }
        updateListeners()
        announce(number, upstreamOf: processes)
        return number
    }

    /// Has a route's clients served by another one from now on. Where both listen on the same address, the listening
    /// socket stays; connections that run go on as they began.
    /// - Returns: the number by which the new route can be removed.
    public func replace(route number: Int, with route: Route) -> Int {
        let successor = register(route, inPlaceOf: number)
        retire(number)
        followCertificates()
        guard isRunning else { return successor }
        updateListeners()
        workers.tell(.removeRoute(number))
        announce(successor)
        return successor
    }

    /// Closes a route's listeners; its connections go on.
    public func remove(route number: Int) {
        guard let route = retire(number) else { return }
        for listener in listeners.removeAll(ofRoute: number) { close(listener: listener) }
        workers.tell(.removeRoute(number))
        workers.limit(connections: connectionsThatFit)
        log.info("no longer forwarding to \(route.upstream)", ["route": .text(route.name)])
    }

    /// Makes a route known to the workers.
    /// - Parameter predecessor: a route whose clients count as this one's.
    func register(_ route: Route, inPlaceOf predecessor: Int? = nil) -> Int {
        let number = listeners.add(route)
        let shared = workers.share(
            route, number: number, tls: makeTLS(for: route), inPlaceOf: predecessor.flatMap { self.shared[$0] })
        self.shared[number] = shared
        if let auth = shared.basicAuth { readPasswords(auth) }
        workers.tell(.addRoute(number, shared, workers: workers.count))
        return number
    }

    /// Reads a file of passwords, from now on whenever it changes.
    private func readPasswords(_ auth: BasicAuth) {
        read(auth)
        guard passwordWatchers[auth.path] == nil else { return }
        let path = auth.path
        do throws(SystemError) {
            let watcher = try FileWatcher(path, on: loop) { [unowned self] in
                _ = passwordWatchers[path]?.hasNews()
                for route in shared.values { if let auth = route.basicAuth, auth.path == path { read(auth) } }
            }
            passwordWatchers[path] = watcher
            if let obstacle = watcher.obstacle { throw obstacle }
        } catch {
            log.part(.configuration).warning(
                "cannot watch a file of passwords; a change of it takes a SIGHUP or a restart",
                ["file": .text(path), "reason": .text(error.description)])
        }
    }

    private func read(_ auth: BasicAuth) {
        let log = log.part(.configuration)
        do {
            if try auth.read() { log.info("read the passwords in \(auth.path)") }
        } catch {
            log.error("the passwords stay as they were: \(error)")
        }
    }

    /// Reads all files of passwords again.
    func readPasswordsAgain() {
        for route in shared.values { if let auth = route.basicAuth { read(auth) } }
    }

    /// Wants no listeners for a route any more.
    @discardableResult
    func retire(_ number: Int) -> Route? {
        shared[number] = nil
        return listeners.remove(route: number)
    }

    func announce(_ number: Int, upstreamOf processes: [String] = []) {
        guard let route = listeners.routes[number] else { return }
        let addresses = listeners.boundAddresses(ofRoute: number).map(\.description)
        let places =
            addresses.isEmpty
            ? "no address to listen on yet"
            : "listening on \(addresses.joined(separator: ", "))\(route.tls.isEnabled ? " for TLS" : "")"
        let transport = route.protocol.transport
        let presence = AppPresence(of: route.upstream, over: transport)
            .description(hold: transport == .udp ? .zero : route.hold)
        log.info("\(places); forwarding to \(route.upstream), \(presence)", ["route": .text(route.name)])
        if let risk = route.risk(upstreamOf: processes) { log.warning(risk, ["route": .text(route.name)]) }
    }

    // MARK: Listeners

    private func open(_ listener: ListenerSet.Listener) throws(SystemError) {
        if let socket = listener.inherited { return try take(socket, for: listener) }
        switch listener.transport {
        case .tcp:
            if case .unix(let path) = listener.address { return try openUnixSocket(listener, at: path) }
            try openForConnections(listener)
        case .udp: try openForDatagrams(listener)
        }
    }

    private func openForDatagrams(_ listener: ListenerSet.Listener) throws(SystemError) {
        let first = try DatagramSocket(listeningOn: listener.address)
        let address = first.localAddress ?? listener.address
        var inodes = [first.inode]
        var sockets = [Handoff(first)]
        for _ in 1..<workers.count {
            let further = try DatagramSocket(listeningOn: address, sharing: .further)
            inodes.append(further.inode)
            sockets.append(Handoff(further))
        }
        let number = listeners.opened(listener, boundTo: address, inodes: inodes)
        workers.listenForDatagrams(number, route: listener.route, on: sockets)
    }

    private func openForConnections(_ listener: ListenerSet.Listener) throws(SystemError) {
        let first = try ListeningSocket(on: listener.address)
        // With port 0 the kernel has chosen one, and the others need the same.
        let address = first.localAddress ?? listener.address
        var inodes = [first.inode]
        var sockets = [Handoff(first)]
        for _ in 1..<workers.count {
            let further = try ListeningSocket(on: address, sharing: .further)
            inodes.append(further.inode)
            sockets.append(Handoff(further))
        }
        let number = listeners.opened(listener, boundTo: address, inodes: inodes)
        workers.listen(number, route: listener.route, on: sockets)
    }

    /// A Unix socket cannot be split as ports can, so all workers accept on the same one.
    private func openUnixSocket(_ listener: ListenerSet.Listener, at path: String) throws(SystemError) {
        let socket = try UnixListeningSocket(at: path, access: listener.access ?? UnixSocketAccess())
        var sockets: [Handoff<ListeningSocket>] = []
        for _ in 0..<workers.count { sockets.append(Handoff(ListeningSocket(owning: try socket.duplicate()))) }
        let number = listeners.opened(listener, boundTo: listener.address, inodes: [socket.inode])
        unixSockets[number] = UnixSocketHolder(socket)
        workers.listen(number, route: listener.route, on: sockets, shared: true)
    }

    /// All workers accept on an inherited socket, and none closes it: those who wait in it at our end are for whoever has
    /// it next.
    private func take(_ socket: InheritedSocket, for listener: ListenerSet.Listener) throws(SystemError) {
        guard socket.kind == .listening, listener.transport == .tcp else { throw SystemError("accept", code: EINVAL) }
        var sockets: [Handoff<ListeningSocket>] = []
        var inode: UInt64 = 0
        for _ in 0..<workers.count {
            let copy = try socket.listener()
            inode = copy.inode
            sockets.append(Handoff(copy))
        }
        let number = listeners.opened(listener, boundTo: listener.address, inodes: [inode])
        workers.listen(number, route: listener.route, on: sockets, shared: true, outlivesUs: true)
    }

    // MARK: The service manager

    /// Tells it that we are at work.
    func tellReady() {
        guard isRunning else { return }
        manager?.ready(Self.counted(listeners.routes.count, "route"))
    }

    private static func counted(_ count: Int, _ noun: String) -> String {
        "\(count) \(noun)\(count == 1 ? "" : "s")"
    }

    /// Tells it that we read the configuration again.
    func tellReloading() {
        guard isRunning else { return }
        manager?.reloading()
    }

    /// It hears of us only if every worker's loop has turned, and this one.
    private func turnWatchdog(after interval: Duration) {
        watchdog?.schedule(after: interval)
        let asked = MonotonicTime.now
        workers.survey { [unowned self] snapshots in
            guard snapshots.allSatisfy({ $0.posted >= asked }) else { return }
            let clients = snapshots.reduce(0) { $0 + $1.connections }
            manager?.alive(
                Self.counted(listeners.routes.count, "route") + ", " + Self.counted(clients, "client"))
        }
    }

    /// Accepts nobody new on a listener.
    func close(listener number: Int) {
        // The file goes first, so that whoever still finds it is accepted.
        unixSockets[number] = nil
        workers.tell(.closeListener(number))
    }

    /// Makes the listeners agree with the routes and the interfaces' addresses again.
    func updateListeners() {
        guard isRunning else { return }
        var isIncomplete = false
        do {
            lastInterfaces = try InterfaceAddresses.current()
        } catch {
            log.warning("cannot read the interfaces' addresses", ["reason": .text(error.description)])
            isIncomplete = true
        }
        let wanted = listeners.wanted(given: lastInterfaces)
        for (listener, route) in listeners.handOver(to: wanted) {
            workers.tell(.handOver(listener: listener, toRoute: route))
        }
        for (listener, number) in listeners.removeUnwanted(wanted) {
            close(listener: number)
            log.info("no longer listening on \(listener.address)", fields(listener))
        }
        failing.formIntersection(wanted)
        for listener in listeners.missing(from: wanted) {
            do throws(SystemError) {
                try open(listener)
                failing.remove(listener)
                log.info("listening on \(listener.address)", fields(listener))
            } catch {
                if ListenRetry.isOptional(listener.address, error) { continue }
                isIncomplete = true
                if retry.isWorthComplaint, failing.insert(listener).inserted {
                    log.error(ListenError(listener, error).description, fields(listener))
                }
            }
        }
        for (number, listen) in listeners.withoutSocket where complaints.insert(listen).inserted {
            let name = listeners.routes[number].map { ["route": .text($0.name)] as Log.Fields } ?? [:]
            log.error(ListenError(listen, among: inherited).description, name)
        }
        workers.limit(connections: connectionsThatFit)
        if isIncomplete { retry.schedule(retryTimer) } else { retry.hurry() }
    }

    /// Has the next failure to open a listener tried again soon, as the first one is.
    func hurry() {
        retry.hurry()
    }

    private func fields(_ listener: ListenerSet.Listener) -> Log.Fields {
        guard let route = listeners.routes[listener.route] else { return [:] }
        return ["route": .text(route.name), "upstream": .text(route.upstream.description)]
    }

    /// How many connections fit: two descriptors each, after what the program needs for itself.
    private var connectionsThatFit: Int {
        let forLoops = 4 * workers.count
        // There is always room for a few more, for addresses that appear, apps that are found, routes that are added.
        let laterListeners = max(8, min(64, openFiles / 64))
        let forListeners = (listeners.count + laterListeners) * workers.count
        let forKept = listeners.routes.values.reduce(0) { $0 + $1.keptConnections.spare + $1.keptConnections.idle }
        let forPipes = 2 * Self.pipes(within: openFiles) * workers.count
        let forAdmin = admin?.descriptors ?? 0
        let forTheRest = 16
        return max(1, (openFiles - forLoops - forListeners - forKept - forPipes - forAdmin - forTheRest) / 2)
    }

    /// How many pipes each worker may have: none where descriptors are so few that connections need them all.
    private static func pipes(within openFiles: Int) -> Int {
        openFiles < 1024 ? 0 : 8
    }

    // MARK: The end

    /// Gives the connections of a route that was removed as long to finish as all have at the end of the server.
    func end(removedRoute number: Int) {
        let deadline = MonotonicTime.now.advanced(by: configuration.drain)
        removals.append((number, deadline))
        removals.sort { $0.deadline < $1.deadline }
        scheduleEndOfRemovedRoutes()
    }

    private func endRemovedRoutes() {
        let now = MonotonicTime.now
        let due = removals.prefix { $0.deadline <= now }
        removals.removeFirst(due.count)
        for removal in due { workers.tell(.abortRoute(removal.route)) }
        scheduleEndOfRemovedRoutes()
    }

    private func scheduleEndOfRemovedRoutes() {
        guard let next = removals.first else { return }
        removalTimer?.schedule(after: next.deadline.since(.now))
    }

    /// Accepts nobody any more and lets the connections finish, for as long as the configuration says; then resets
    /// the rest.
    /// - Parameter completion: called once, when the last connection has ended.
    public func drain(_ completion: @escaping () -> Void) {
        guard case .running = state else { return completion() }
        state = .draining(completion: completion)
        manager?.stopping()
        unixSockets = [:]
        workers.tell(.drain)
        drainTimer?.schedule(after: configuration.drain)
    }

    /// Ends a drain now: resets the connections that are left.
    public func abort() {
        workers.tell(.abort)
    }

    private func drained() {
        guard case .draining(let completion) = state else { return }
        state = .ended
        drainTimer?.cancel()
        admin?.close()
        completion()
    }
}

internal import Access
public import Configuration
internal import Discovery
public import EventLoop
internal import FileWatching
internal import Memory
internal import Network
public import Observability
public import Proxy

/// The whole proxy: opens the listening sockets, starts the workers, follows the interfaces' addresses, and ends in good
/// order when it is told to.
///
/// Belongs to the thread of the loop that it is made with, the control loop. Traffic is the workers'.
public final class Server {
    private enum State {
        case notStarted
        case running
        /// No client is accepted any more; `completion` is to be called when the last connection has ended.
        case draining(completion: () -> Void)
        case ended
    }

    /// The configuration in force; a reload replaces it.
    public internal(set) var configuration: Configuration {
        didSet { settings.current = configuration.settings }
    }
    /// The part of it that other threads read.
    private let settings: SettingsInForce
    let log: Log
    let workers: WorkerPool
    var routes = RouteTable()
    let listeners: Listeners
    let removals: RouteRemovals
    let admin: AdminPort
    /// The facts about the server itself that a snapshot has.
    var record = ServerRecord()
    private let passwords: PasswordFiles
    private let certificates: Certificates
    private let memory: MemoryControl
    private let manager: ServiceManager?
    private var watchdog: Watchdog?
    private let drainDeadline: Deadline
    private var state = State.notStarted
    /// The division of the descriptors; nil before the start.
    private var descriptors: DescriptorPlan?

    /// Tells the state of the app's process, on any thread; nil where nobody knows it. To be set before ``start()``.
    public var appLife: (@Sendable () -> AppLife)?

    /// Called when the server cannot go on.
    public var onFailure: ((SystemError) -> Void)?

    /// Makes a server that does nothing yet.
    /// - Throws: ``SystemError`` when the process is out of descriptors or memory.
    public init(_ configuration: Configuration, log: Log, on loop: EventLoop) throws(SystemError) {
        let settings = SettingsInForce(configuration.settings)
        self.settings = settings
        self.configuration = configuration
        let probe: @Sendable () -> MemoryReading? = { MemoryProbe.read(ceiling: settings.current.memory) }
        self.log = log.part(.listeners)
        manager = ServiceManager(ProcessStart.environment, log: self.log)
        let count =
            switch configuration.workers {
            case .auto: min(AvailableProcessors.count, MemoryNeed(probe()).mostWorkers)
            case .count(let count): count
            }
        let workers = try WorkerPool(count: count, probe: probe, on: loop)
        self.workers = workers
        listeners = try Listeners(workers, log: self.log, on: loop)
        removals = try RouteRemovals(on: loop) { workers.tell(.abortRoute($0)) }
        let watchers = FileWatchers(on: loop)
        passwords = PasswordFiles(watchedBy: watchers, log: self.log)
        certificates = Certificates(watchedBy: watchers, log: self.log)
        memory = try MemoryControl(workers, log: self.log, on: loop)
        admin = try AdminPort(log: log, on: loop)
        drainDeadline = try Deadline(on: loop) { _ in workers.tell(.abort) }
        if let interval = manager?.watchdogInterval {
            watchdog = try Watchdog(every: interval, over: workers, on: loop) { [weak self] in self?.tellAlive($0) }
        }
        let diagnosis = BackgroundDiagnosis(on: loop)
        admin.sources = AdminServer.Sources(
            snapshot: { [weak self] in self?.snapshot($0) },
            configuration: { [weak self] in try? self?.configuration.yaml }, diagnosis: diagnosis.start)
        listeners.onUpdate = { [weak self] in self?.limitConnections() }
        workers.onDrained = { [weak self] in self?.drained() }
        workers.onFailure = { [weak self] error in self?.onFailure?(error) }
    }

    /// Opens the configured routes' listening sockets and starts the workers.
    /// - Throws: ``ListenError`` when a listening socket cannot be had, ``SystemError`` when the system refuses what
    ///   every start needs, ``TLSFault`` where a certificate is no good.
    public func start() throws {
        let descriptors = DescriptorPlan(limit: ProcessLimits.raiseOpenFiles(), workers: workers.count)
        self.descriptors = descriptors
        ProcessLimits.ignoreBrokenPipes()
        ProcessLimits.returnLargeBlocksAtOnce()
        let need = try memory.findNeed(of: configuration.workers)
        if configuration.speaksTLS { ProcessLimits.keepMemoryPrivate() }
        routes.configured = configuration.routes.map { register($0) }
        followFiles()
        if let fault = certificates.firstFault { throw fault }
        try listeners.start()
        try admin.start(configuration.admin)
        try workers.start(
            connections: connectionsThatFit, pipes: descriptors.pipesOfEachWorker,
            parking: need.parking(workers: workers.count), log: log, logsAccess: configuration.log.access,
            appLife: appLife)
        state = .running
        announce(routes.numbers)
        listeners.warnOfUnused()
        tellReady()
        watchdog?.start()
        // So that a change before the first snapshot is noticed as one.
        lookAtApps()
    }

    /// The inodes of the sockets that the server listens on, the admin port's among them.
    public var listeningInodes: Set<UInt64> { listeners.inodes.union(admin.inodes) }

    // MARK: Files and limits

    /// Follows the files that the routes name from now on, and no others.
    /// - Parameter isAskedFor: whether files that are known already are read again.
    func followFiles(readingAgain isAskedFor: Bool = false) {
        passwords.follow(routes.all.compactMap(\.basicAuth), readingAgain: isAskedFor)
        let users = routes.all.compactMap { route in route.tls.map { (route.configuration.name, $0) } }
        certificates.follow(users, readingAgain: isAskedFor)
    }

    /// Tells the workers how many connections fit now.
    func limitConnections() {
        workers.limit(connections: connectionsThatFit)
    }

    private var connectionsThatFit: Int {
        guard let descriptors else { return 1 }
        let kept = routes.all.map(\.configuration.keptConnections).reduce(0) { $0 + $1.spare + $1.idle }
        return descriptors.connections(listeners: listeners.count, kept: kept, admin: admin.descriptors)
    }

    // MARK: The service manager

    /// Tells the service manager that clients are accepted.
    func tellReady() {
        guard isRunning else { return }
        manager?.ready(countOfRoutes)
    }

    /// Tells the service manager that the configuration is read again.
    func tellReloading() {
        guard isRunning else { return }
        manager?.reloading()
    }

    private func tellAlive(_ clients: Int) {
        manager?.alive("\(countOfRoutes), \(Self.counted(clients, "client"))")
    }

    private var countOfRoutes: String { Self.counted(routes.count, "route") }

    private static func counted(_ count: Int, _ noun: String) -> String {
        "\(count) \(noun)\(count == 1 ? "" : "s")"
    }

    // MARK: The end

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

    /// Accepts no more clients and lets the connections finish, for as long as the configuration says; then resets the rest.
    /// - Parameter completion: called once, when the last connection has ended.
    public func drain(_ completion: @escaping () -> Void) {
        guard case .running = state else { return completion() }
        state = .draining(completion: completion)
        manager?.stopping()
        listeners.stop()
        workers.tell(.drain)
        drainDeadline.schedule(after: configuration.drain)
    }

    /// Ends a drain now: resets the connections that are left.
    public func abort() {
        workers.tell(.abort)
    }

    private func drained() {
        guard case .draining(let completion) = state else { return }
        state = .ended
        drainDeadline.cancel()
        admin.close()
        completion()
    }
}

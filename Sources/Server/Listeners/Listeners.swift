internal import Configuration
internal import EventLoop
internal import Network
internal import Observability
internal import Proxy

/// Opens and closes the listening sockets that the routes want, as routes and the interfaces' addresses come and go.
///
/// Belongs to the control loop.
final class Listeners {
    private let workers: WorkerPool
    private let log: Log
    /// The sockets that were passed to the process.
    private let inherited: InheritedSockets
    private var known: ListenerSet
    /// Whether sockets are opened and closed as routes and addresses change: from the start to the drain.
    private var isFollowing = false
    private var interfaces: InterfaceAddresses?
    /// The addresses that the interfaces had when they could last be read.
    private var lastInterfaces: [InterfaceAddress] = []
    private var retryTimer: Timer?
    private var retry = ListenRetry()
    /// The Unix sockets by the numbers of their listeners; their files go when these do.
    private var unixSockets: [Int: UnixSocketHolder] = [:]
    /// The listeners of which the log has said that no socket was passed for them.
    private var complaints: Set<ListenAddress> = []
    /// The listeners of which the log has said that they cannot be opened.
    private var failing: Set<ListenerSet.Listener> = []

    /// Called when sockets may have been opened or closed.
    var onUpdate: (() -> Void)?

    /// Opens nothing before ``start()``.
    /// - Throws: ``SystemError`` when the process is out of descriptors or memory.
    init(_ workers: WorkerPool, log: Log, on loop: EventLoop) throws(SystemError) {
        self.workers = workers
        self.log = log
        inherited = .ofProcess
        known = ListenerSet(inherited: inherited.sockets)
        // Both end with this, and so do their calls.
        retryTimer = try Timer(on: loop) { [unowned self] in update() }
        interfaces = try InterfaceAddresses(on: loop) { [unowned self] in update() }
    }

    // MARK: Routes

    /// Wants listeners for a route from the next ``start()`` or ``update()`` on.
    /// - Returns: the route's number.
    func add(_ route: Route) -> Int { known.add(route) }

    /// Wants listeners for a route no more; those that are open are closed, or handed over, by the next ``update()``.
    func remove(route number: Int) { _ = known.remove(route: number) }

    /// Closes a route's listeners now.
    func closeAll(ofRoute number: Int) {
        for listener in known.removeAll(ofRoute: number) { close(listener) }
    }

    // MARK: Opening and closing

    /// Opens what the routes want.
    /// - Throws: ``ListenError`` when a listening socket cannot be had, ``SystemError`` when the addresses cannot be read.
    func start() throws {
        lastInterfaces = try InterfaceAddresses.current()
        if let missing = known.withoutSocket.first { throw ListenError(missing.listen, among: inherited) }
        for listener in known.wanted(given: lastInterfaces) {
            do {
                try open(listener)
            } catch  where ListenRetry.isOptional(listener.address, error) {
                log.debug("not listening on \(listener.address)", ["reason": .text(error.reason)])
            } catch {
                throw ListenError(listener, error)
            }
        }
        isFollowing = true
    }

    /// Makes the listeners agree with the routes and the interfaces' addresses again. A listener that cannot be had is reported
    /// in the log, and tried again.
    func update() {
        guard isFollowing else { return }
        var isComplete = readInterfaces()
        let wanted = known.wanted(given: lastInterfaces)
        for (listener, route) in known.handOver(to: wanted) {
            workers.tell(.handOver(listener: listener, toRoute: route))
        }
        for (listener, number) in known.removeUnwanted(wanted) {
            close(number)
            log.info("no longer listening on \(listener.address)", fields(listener))
        }
        failing.formIntersection(wanted)
        for listener in known.missing(from: wanted) where !openLate(listener) { isComplete = false }
        for (number, listen) in known.withoutSocket where complaints.insert(listen).inserted {
            let name = known.routes[number].map { ["route": .text($0.name)] as Log.Fields } ?? [:]
            log.error(ListenError(listen, among: inherited).description, name)
        }
        onUpdate?()
        if isComplete { retry.hurry() } else { retry.schedule(retryTimer) }
    }

    /// Has the next failure to open a listener tried again soon, as the first one is.
    func hurry() {
        retry.hurry()
    }

    /// Opens and closes nothing any more, and removes the files of Unix sockets; the workers close the rest at their drain.
    func stop() {
        isFollowing = false
        unixSockets = [:]
    }

    /// Warns of sockets that were passed and that no route wants.
    func warnOfUnused() {
        for socket in known.unused(given: known.wanted(given: lastInterfaces)) {
            log.warning("the inherited socket \(socket.described) is used by no route")
        }
    }

    /// - Returns: false when the addresses of before still hold for want of newer ones.
    private func readInterfaces() -> Bool {
        do {
            lastInterfaces = try InterfaceAddresses.current()
            return true
        } catch {
            log.warning("cannot read the interfaces' addresses", ["reason": .text(error.description)])
            return false
        }
    }

    /// - Returns: false when the listener could not be had and is to be tried again.
    private func openLate(_ listener: ListenerSet.Listener) -> Bool {
        do throws(SystemError) {
            try open(listener)
            failing.remove(listener)
            log.info("listening on \(listener.address)", fields(listener))
            return true
        } catch {
            if ListenRetry.isOptional(listener.address, error) { return true }
            if retry.isWorthComplaint, failing.insert(listener).inserted {
                log.error(ListenError(listener, error).description, fields(listener))
            }
            return false
        }
    }

    private func open(_ listener: ListenerSet.Listener) throws(SystemError) {
        let opened = try OpenedSockets(for: listener, workers: workers.count)
        let number = known.opened(listener, boundTo: opened.address, inodes: opened.inodes)
        switch opened.sockets {
        case .ofEachWorker(let sockets):
            workers.listen(number, route: listener.route, on: sockets)
        case .shared(let sockets, let holder):
            unixSockets[number] = holder
            workers.listen(
                number, route: listener.route, on: sockets, shared: true, outlivesUs: listener.inherited != nil)
        case .forDatagrams(let sockets):
            workers.listenForDatagrams(number, route: listener.route, on: sockets)
        }
    }

    private func close(_ listener: Int) {
        // The file goes first: a client that still finds it is in the backlog, which the workers accept before they close.
        unixSockets[listener] = nil
        workers.tell(.closeListener(listener))
    }

    private func fields(_ listener: ListenerSet.Listener) -> Log.Fields {
        guard let route = known.routes[listener.route] else { return [:] }
        return ["route": .text(route.name), "upstream": .text(route.upstream.description)]
    }

    // MARK: Asking

    /// The number of listeners that are open; each takes a descriptor in each worker.
    var count: Int { known.count }

    /// The inodes of all open listening sockets.
    var inodes: Set<UInt64> { known.inodes }

    /// Returns the addresses that a route's listeners are bound to, in the order in which they were opened.
    func boundAddresses(ofRoute number: Int) -> [SocketAddress] { known.boundAddresses(ofRoute: number) }

    /// Returns the addresses of which the log has said that a route cannot listen on them yet.
    func failingAddresses(ofRoute number: Int) -> [SocketAddress] {
        failing.filter { $0.route == number }.map(\.address)
    }
}

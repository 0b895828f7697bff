public import Configuration
internal import Discovery
internal import EventLoop
internal import Glibc
internal import Network
public import Observability
internal import Upstream

/// The whole proxy: it opens the listening sockets, starts the workers, follows the interfaces' addresses, and
/// ends in good order when it is told to.
///
/// The server has the thread that calls ``run()``, and a loop on it, for everything that is not traffic.
public final class Server {
    /// What workers report.
    private enum Report: Sendable {
        case drained
        case failed(SystemError)
        /// Not a worker's: see ``Server/stopper``.
        case stopRequested
    }

    private enum State {
        case running
        /// Told to stop; this many workers still have connections.
        case draining(workersLeft: Int)
    }

    private let configuration: Configuration
    private let log: Log
    private let loop: EventLoop
    private let workerCount: Int
    private let reports: Mailbox<Report>
    private let commands: [Mailbox<WorkerCommand>]
    private var listeners: ListenerSet
    private var state = State.running
    private var interfaces: InterfaceAddresses?
    private var signals: [SignalEvent] = []
    private var drainTimer: Timer?
    private var retryTimer: Timer?
    /// Listeners that could not be opened, and that we have complained about.
    private var failing: Set<ListenerSet.Listener> = []

    private static let listenRetryInterval = Duration.seconds(5)

    /// Makes a server that does nothing yet.
    /// - Throws: ``SystemError`` when the process is out of descriptors or memory.
    public init(_ configuration: Configuration, log: Log) throws {
        self.configuration = configuration
        self.log = log
        loop = try EventLoop()
        workerCount =
            switch configuration.workers {
            case .auto: AvailableProcessors.count
            case .count(let count): count
            }
        reports = try Mailbox()
        commands = try (0..<workerCount).map { _ in try Mailbox() }
        listeners = ListenerSet(routes: configuration.routes)
    }

    /// Carries traffic until a signal ends it. Blocks the calling thread.
    /// - Throws: ``ListenError`` when a listening socket cannot be had at the start, ``SystemError`` when the
    ///   system refuses what every start needs.
    public func run() throws {
        let openFiles = ProcessLimits.raiseOpenFiles()
        ProcessLimits.ignoreBrokenPipes()
        ProcessLimits.returnLargeBlocksAtOnce()
        // Signals first: whoever stops us while we start gets an orderly end too.
        for (signal, name) in [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")] {
            signals.append(try SignalEvent(signal, on: loop) { [unowned self] in stop(because: name) })
        }
        drainTimer = try Timer(on: loop) { [unowned self] in tellWorkers(.abort) }
        retryTimer = try Timer(on: loop) { [unowned self] in followInterfaces() }
        let reportEvent = try reports.open(on: loop) { [unowned self] in receive($0) }
        defer { withExtendedLifetime(reportEvent) {} }

        if listeners.followsInterfaces {
            interfaces = try InterfaceAddresses(on: loop) { [unowned self] in followInterfaces() }
        }
        let wanted = listeners.wanted(given: try InterfaceAddresses.current())
        for listener in wanted {
            do {
                try open(listener)
            } catch  where Self.isOptional(listener, error) {
                log.debug("not listening on \(listener.address)", ["reason": .text(error.reason)])
            } catch {
                throw ListenError(listener.address, error)
            }
        }
        try startWorkers(openFiles: openFiles)
        announceStart()
        loop.run()
        log.info("stopped")
    }

    /// IPv6 switched off is no reason not to start where every address was asked for.
    private static func isOptional(_ listener: ListenerSet.Listener, _ error: SystemError) -> Bool {
        listener.address.ipAddress == .anyV6 && (error.code == EAFNOSUPPORT || error.code == EADDRNOTAVAIL)
    }

    // MARK: Workers

    private func startWorkers(openFiles: Int) throws(SystemError) {
        let commands = commands
        let routes = configuration.routes.enumerated().map { index, route in
            SharedRoute(
                configuration: route,
                connections: ConnectionBudget(limit: route.maxConnections) { worker in
                    commands[worker].post(.resumeAccepting)
                },
                hold: HoldCoordinator { worker, news in commands[worker].post(.news(news, route: index)) })
        }
        let environment = Worker.Environment(
            routes: routes,
            descriptors: ConnectionBudget(limit: connections(within: openFiles)) { worker in
                commands[worker].post(.resumeAccepting)
            },
            log: log, logsAccess: configuration.log.access)
        for number in 0..<workerCount {
            let (commands, reports) = (commands[number], reports)
            try Thread.start(named: "worker-\(number)") {
                do throws(SystemError) {
                    let loop = try EventLoop()
                    let worker = try Worker(number, in: environment, commands: commands, on: loop) {
                        reports.post(.drained)
                    }
                    loop.run()
                    withExtendedLifetime(worker) {}
                } catch {
                    reports.post(.failed(error))
                }
            }
        }
    }

    /// How many connections fit: two descriptors each, after what the program needs for itself.
    private func connections(within openFiles: Int) -> Int {
        let forLoops = 4 * workerCount
        let forListeners = (listeners.count + 8) * workerCount
        let forTheRest = 16
        return max(1, (openFiles - forLoops - forListeners - forTheRest) / 2)
    }

    private func tellWorkers(_ command: WorkerCommand) {
        for mailbox in commands { mailbox.post(command) }
    }

    private func receive(_ report: Report) {
        switch (report, state) {
        case (.drained, .draining(let workersLeft)):
            state = .draining(workersLeft: workersLeft - 1)
            if workersLeft == 1 { loop.stop() }
        case (.drained, .running):
            preconditionFailure("workers drain only when told to")
        case (.failed(let error), _):
            log.error("a worker cannot start", ["reason": .text(error.description)])
            loop.stop()
        case (.stopRequested, _):
            stop(because: "asked to stop")
        }
    }

    // MARK: Listeners

    /// Opens a listening socket in each worker; the kernel deals the clients out among them.
    private func open(_ listener: ListenerSet.Listener) throws(SystemError) {
        let first = try ListeningSocket(on: listener.address)
        // With port 0 the kernel has chosen one, and the others need the same.
        let address = first.localAddress ?? listener.address
        var handoffs = [Handoff(first)]
        for _ in 1..<workerCount { handoffs.append(Handoff(try ListeningSocket(on: address, sharing: .further))) }
        let number = listeners.opened(listener, boundTo: address)
        for (mailbox, handoff) in zip(commands, handoffs) {
            mailbox.post(.listen(listener: number, route: listener.route, handoff))
        }
    }

    /// Makes the listeners agree with the interfaces' addresses again.
    private func followInterfaces() {
        guard case .running = state else { return }
        let current: [InterfaceAddress]
        do {
            current = try InterfaceAddresses.current()
        } catch {
            log.warning("cannot read the interfaces' addresses", ["reason": .text(error.description)])
            retryTimer?.schedule(after: Self.listenRetryInterval)
            return
        }
        let wanted = listeners.wanted(given: current)
        for (listener, number) in listeners.removeUnwanted(wanted) {
            tellWorkers(.closeListener(number))
            log.info("no longer listening on \(listener.address)", fields(listener))
        }
        failing.formIntersection(wanted)
        for listener in listeners.missing(from: wanted) {
            do throws(SystemError) {
                try open(listener)
                failing.remove(listener)
                log.info("listening on \(listener.address)", fields(listener))
            } catch {
                if Self.isOptional(listener, error) { continue }
                if failing.insert(listener).inserted {
                    log.error(ListenError(listener.address, error).description, fields(listener))
                }
                retryTimer?.schedule(after: Self.listenRetryInterval)
            }
        }
    }

    private func fields(_ listener: ListenerSet.Listener) -> Log.Fields {
        let route = configuration.routes[listener.route]
        return ["route": .text(route.name), "upstream": .text(route.upstream.description)]
    }

    private func announceStart() {
        for (index, route) in configuration.routes.enumerated() {
            let addresses = listeners.boundAddresses(ofRoute: index).map(\.description)
            let places =
                addresses.isEmpty
                ? "no non-loopback address to listen on yet" : "listening on \(addresses.joined(separator: ", "))"
            log.info(
                "\(places); forwarding to \(route.upstream), \(AppPresence(of: route.upstream).description(hold: route.hold))",
                ["route": .text(route.name)])
        }
    }

    // MARK: The end

    /// Ends ``run()`` as a signal would. Callable from every thread.
    public var stopper: @Sendable () -> Void {
        { [reports] in reports.post(.stopRequested) }
    }

    private func stop(because reason: String) {
        switch state {
        case .running:
            state = .draining(workersLeft: workerCount)
            log.info(
                "\(reason): closing the listeners, finishing connections for up to \(durationText(configuration.drain))"
            )
            tellWorkers(.drain)
            drainTimer?.schedule(after: configuration.drain)
        case .draining:
            log.info("\(reason) again: ending at once")
            tellWorkers(.abort)
        }
    }
}

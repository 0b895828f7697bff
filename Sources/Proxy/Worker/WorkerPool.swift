internal import Access
package import Configuration
package import EventLoop
package import Memory
package import Network
package import Observability
internal import Upstream

/// Starts the workers, sends them commands through their mailboxes, and takes their reports through one of its own.
///
/// Belongs to the control thread.
package final class WorkerPool {
    package let count: Int
    /// Gives out the memory that is left.
    package let memory: MemoryWatch
    private let reports: Mailbox<WorkerReport>
    private let commands: [Mailbox<WorkerCommand>]
    private var reportEvent: IOEvent?
    /// The permits for connections in the whole process; nil before the start.
    private var descriptors: ConnectionBudget?
    /// The number of workers that have not reported yet that they have no connections left.
    private var undrained: Int
    private var survey: WorkerSurvey?
    private let passwords: PasswordThread?

    /// Called when no worker has connections left after ``WorkerCommand/drain``.
    package var onDrained: (() -> Void)?
    /// Called when a worker could not be started.
    package var onFailure: ((SystemError) -> Void)?
    /// Called when memory has become shorter, or less so.
    package var onMemoryNews: ((MemoryWatch.State) -> Void)?

    /// Makes mailboxes for workers that do not run yet; what is posted waits for them.
    /// - Parameter probe: reads how much memory is left.
    package init(count: Int, probe: @escaping @Sendable () -> MemoryReading?, on loop: EventLoop) throws(SystemError) {
        self.count = count
        undrained = count
        let reports = try Mailbox<WorkerReport>()
        self.reports = reports
        memory = MemoryWatch(workers: count, probe: probe) { reports.post(.memory($0)) }
        var commands: [Mailbox<WorkerCommand>] = []
        for _ in 0..<count { commands.append(try Mailbox()) }
        self.commands = commands
        passwords = try PasswordThread()
        survey = try WorkerSurvey(of: count, on: loop) { [commands] worker, posted in
            commands[worker].post(.report(posted: posted))
        }
        // The pool owns the event, and no other owner is there.
        reportEvent = try reports.open(on: loop) { [unowned self] in receive($0) }
    }

    /// Starts the threads.
    /// - Parameters:
    ///   - connections: how many connections there may be in the whole process.
    ///   - pipes: how many pipes each worker may have.
    ///   - parking: how many bytes each worker may park.
    ///   - appLife: see ``Server/appLife``.
    package func start(
        connections: Int, pipes: Int, parking: Int, log: Log, logsAccess: Bool, appLife: (@Sendable () -> AppLife)?
    ) throws(SystemError) {
        let descriptors = budget(limit: connections)
        self.descriptors = descriptors
        let environment = Worker.Environment(
            descriptors: descriptors, pipes: pipes, memory: memory, parkingLimit: parking, log: log, appLife: appLife)
        for number in 0..<count {
            let (commands, reports) = (commands[number], reports)
            try Thread.start(named: "worker-\(number)") {
                do throws(SystemError) {
                    let loop = try EventLoop()
                    let worker = try Worker(
                        number, in: environment, logsAccess: logsAccess, commands: commands, on: loop,
                        report: reports.post)
                    loop.run()
                    withExtendedLifetime(worker) {}
                } catch {
                    reports.post(.failed(error))
                }
            }
        }
    }

    /// Changes the number of connections that the whole process may have.
    package func limit(connections: Int) {
        descriptors?.limit = connections
    }

    /// Sends a command to all workers.
    package func tell(_ command: WorkerCommand) {
        for mailbox in commands { mailbox.post(command) }
    }

    /// Gives each worker its listening socket for a route; the kernel deals the clients out among them.
    /// - Parameters:
    ///   - sockets: one for each worker.
    ///   - isShared: whether they are all the same socket, on which whoever is first accepts.
    ///   - outlivesUs: whether somebody else has it after us.
    package func listen(
        _ listener: Int, route: Int, on sockets: [Handoff<ListeningSocket>], shared isShared: Bool = false,
        outlivesUs: Bool = false
    ) {
        let turn = isShared && count > 1 ? TurnLock() : nil
        for (mailbox, socket) in zip(commands, sockets) {
            mailbox.post(.listen(listener: listener, route: route, socket, turn: turn, outlivesUs: outlivesUs))
        }
    }

    /// Gives each worker its socket for a route's datagrams; the kernel deals the clients out among them.
    /// - Parameter sockets: one for each worker.
    package func listenForDatagrams(_ listener: Int, route: Int, on sockets: [Handoff<DatagramSocket>]) {
        for (mailbox, socket) in zip(commands, sockets) {
            mailbox.post(.listenForDatagrams(listener: listener, route: route, socket))
        }
    }

    /// Makes the part of a route that the workers share.
    /// - Parameter tls: the certificates for its clients; nil without TLS.
    /// - Parameter predecessor: the route that this one replaces, whose clients count as this one's.
    package func share(_ route: Route, number: Int, tls: RouteTLS?, inPlaceOf predecessor: SharedRoute?) -> SharedRoute
    {
        let connections = predecessor?.connections ?? budget(limit: route.maxConnections)
        connections.limit = route.maxConnections
        return SharedRoute(
            configuration: route, door: Doorkeeper(for: route, inPlaceOf: predecessor?.door), connections: connections,
            basicAuth: basicAuth(for: route, inPlaceOf: predecessor), passwords: passwords,
            hold: HoldCoordinator { [commands] worker, news in commands[worker].post(.news(news, route: number)) },
            admission: admission(for: route, inPlaceOf: predecessor), tls: tls)
    }

    /// Returns the predecessor's where the settings are the same, so that nobody is asked for a password again.
    private func basicAuth(for route: Route, inPlaceOf predecessor: SharedRoute?) -> BasicAuth? {
        guard ServedProtocol(route.protocol).hasRequests else { return nil }
        if let before = predecessor?.basicAuth, before.settings == route.http.basicAuth { return before }
        return BasicAuth(route.http.basicAuth)
    }

    private func admission(for route: Route, inPlaceOf predecessor: SharedRoute?) -> AdmissionQueue? {
        let bound = route.upstreamConnections
        guard let max = bound.max else { return nil }
        // The same app keeps the connections that it has.
        if let predecessor, predecessor.configuration.upstream == route.upstream, let queue = predecessor.admission {
            queue.setBounds(limit: max, length: bound.queue)
            return queue
        }
        return AdmissionQueue(limit: max, length: bound.queue) { [commands] member, news in
            commands[member.worker].post(.admission(news, route: member.route))
        }
    }

    private func budget(limit: Int) -> ConnectionBudget {
        ConnectionBudget(limit: limit) { [commands] worker in commands[worker].post(.resumeAccepting) }
    }

    /// Asks all workers for their counts, and for the traffic under way.
    /// - Parameter completion: called once, in a later turn of the loop; see ``WorkerSurvey``.
    package func survey(_ completion: @escaping ([WorkerSnapshot]) -> Void) {
        survey?.begin(completion)
    }

    private func receive(_ report: WorkerReport) {
        switch report {
        case .snapshot(let snapshot): survey?.receive(snapshot)
        case .drained:
            undrained -= 1
            if undrained == 0 { onDrained?() }
        case .failed(let error): onFailure?(error)
        case .memory(let state): onMemoryNews?(state)
        }
    }
}

import Access
import Configuration
import EventLoop
import Glibc
import Memory
import Network
import Observability
import ProxyProtocol
import TestSupport
import Testing
import Upstream

@testable import Proxy

/// One worker's side of a route, with clients and an app that the test plays by itself, all on one loop.
final class SessionBench {
    let loop: EventLoop
    let worker: WorkerContext
    let route: WorkerRoute
    /// The permits that descriptors allow.
    let descriptors: ConnectionBudget
    private let app: ListeningSocket
    private let log: Log
    private var mailboxEvent: IOEvent?
    /// The workers that were told that there is room again, by either budget.
    let told = Told()

    final class Told: Sendable {
        let workers = Guarded<[Int]>([])
    }

    /// The client of the last ``connection(awaitsProxyHeader:)``.
    private(set) var lastClient: Peer?

    /// - Parameters:
    ///   - descriptors: how many connections descriptors allow.
    ///   - change: changes a TCP route to the app, on which nobody is held.
    init(descriptors count: Int = 100, _ change: (inout Route) -> Void = { _ in }) throws {
        loop = try EventLoop()
        app = try ListeningSocket(on: .ip(.loopbackV4, port: 0))
        log = Log(
            level: .error, format: .text,
            writer: try LogWriter(to: Descriptor(owning: open("/dev/null", O_WRONLY | O_CLOEXEC))))
        let told = told
        descriptors = ConnectionBudget(limit: count) { worker in told.workers.withLock { $0.append(worker) } }
        let commands = try Mailbox<WorkerCommand>()
        worker = try WorkerContext(
            7,
            in: Worker.Environment(
                descriptors: descriptors, pipes: 8, memory: MemoryWatch(workers: 8, probe: { nil }, onChange: { _ in }),
                parkingLimit: 1 << 20, log: log, appLife: nil), logsAccess: false, commands: commands, on: loop)
        var configuration = Route(name: "web", listen: [], upstream: .address(app.localAddress!))
        configuration.hold = .zero
        change(&configuration)
        let bound = configuration.upstreamConnections
        let shared = SharedRoute(
            configuration: configuration, door: Doorkeeper(for: configuration, inPlaceOf: nil),
            connections: ConnectionBudget(limit: configuration.maxConnections) { worker in
                told.workers.withLock { $0.append(worker) }
            },
            basicAuth: nil, passwords: nil, hold: HoldCoordinator { commands.post(.news($1, route: 1)) },
            admission: bound.max.map { max in
                AdmissionQueue(limit: max, length: bound.queue) { commands.post(.admission($1, route: $0.route)) }
            }, tls: nil)
        route = try WorkerRoute(shared, number: 1, workers: 8, traffic: RouteTraffic(), in: worker)
        worker.sessions.shortestTimeout = route.shortestTimeout
        mailboxEvent = try commands.open(on: loop) { [unowned self] command in
            switch command {
            case .news(let news, route: _): route.app.receive(news)
            case .admission(let news, route: _): route.app.receive(news)
            default: Issue.record("nobody expects \(command)")
            }
        }
    }

    deinit {
        // Sessions hold on to their worker.
        worker.sessions.abort(.drained)
        log.close()
    }

    /// Lets in a client that was accepted.
    /// - Parameter address: where it comes from, as far as the proxy knows.
    func connect(from address: SocketAddress = .ip(.loopbackV4, port: 40_000)) throws -> Peer {
        let (client, end) = try enter(from: address)
        guard case .begun = end else { throw BenchError() }
        return client
    }

    /// A client that was accepted, and what became of it.
    func enter(from address: SocketAddress) throws -> (Peer, ClientPipeline.Entrance) {
        let (client, accepted) = try Peer.sockets()
        guard let permit = worker.takePermit(on: route) else { throw BenchError() }
        return (Peer(client.take()!), ClientPipeline.begin(accepted.take()!, from: address, with: permit))
    }

    /// A client's connection that is in no stage; ``lastClient`` is at its other end.
    func connection(awaitsProxyHeader: Bool = false) throws -> ClientConnection {
        let (client, accepted) = try Peer.sockets()
        guard let permit = worker.takePermit(on: route) else { throw BenchError() }
        lastClient = Peer(client.take()!)
        return try ClientConnection(
            accepted.take()!, from: .ip(.loopbackV4, port: 40_000), permit: permit,
            awaitsProxyHeader: awaitsProxyHeader)
    }

    /// The app's side of the next connection that reaches it.
    func accept() throws -> Peer {
        var peer: Peer?
        try run { [self] in
            guard peer == nil else { return true }
            if case .accepted(let socket, from: _) = app.accept() { peer = Peer(socket) }
            return peer != nil
        }
        return try #require(peer)
    }

    /// Whether a connection waits for the app to accept it.
    var appIsCalled: Bool { app.hasWaitingClients }

    func run(sourceLocation: SourceLocation = #_sourceLocation, until condition: @escaping () -> Bool) throws {
        let isSo = try loop.run(until: condition)
        try #require(isSo, sourceLocation: sourceLocation)
    }

    /// Runs until the peer has received this.
    func expect(_ peer: Peer, toHave text: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        try run(sourceLocation: sourceLocation) {
            peer.read()
            return peer.end != nil || peer.received.count >= text.utf8.count
        }
        #expect(peer.received == Array(text.utf8), sourceLocation: sourceLocation)
    }

    /// Runs until the peer's connection has ended.
    /// - Parameter end: 0 for a clean end, otherwise an errno.
    func expectEnd(of peer: Peer, _ end: CInt, sourceLocation: SourceLocation = #_sourceLocation) throws {
        try run(sourceLocation: sourceLocation) {
            peer.read()
            return peer.end != nil
        }
        #expect(peer.end == end, sourceLocation: sourceLocation)
    }

    /// Runs until no session is left, after which nobody holds anything any more.
    /// - Parameter cause: what was counted; nil for what has ended well.
    func expectNobody(cause: FailureCause? = nil, sourceLocation: SourceLocation = #_sourceLocation) throws {
        try run(sourceLocation: sourceLocation) { [worker] in worker.sessions.isEmpty }
        #expect(route.permits == 0, sourceLocation: sourceLocation)
        let counters = route.traffic.snapshot.counters
        #expect(
            FailureCause.allCases.filter { counters.failures[$0] > 0 } == [cause].compactMap { $0 },
            sourceLocation: sourceLocation)
        #expect(counters.failures.total == (cause == nil ? 0 : 1), sourceLocation: sourceLocation)
        #expect(counters.endedConnections == counters.connections, sourceLocation: sourceLocation)
    }

    /// The sessions that there are.
    var sessions: [any Session] {
        var sessions: [any Session] = []
        worker.sessions.forEach { sessions.append($0) }
        return sessions
    }
}

struct BenchError: Error {}

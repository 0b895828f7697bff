import Configuration
import EventLoop
import Glibc
import Network
import Observability
import TestSupport
import Testing

@testable import Server

/// A server in this process, with an app and clients that the test plays by itself, all on one loop.
final class RunningServer {
    let loop: EventLoop
    let server: Server
    let log: Log
    private let app: ListeningSocket
    /// The address that the app listens on.
    let appAddress: SocketAddress

    /// - Parameter change: changes the route to the app, which has the defaults.
    init(workers: Int = 1, _ change: (inout Route) -> Void = { _ in }) throws {
        loop = try EventLoop()
        app = try ListeningSocket(on: .ip(.loopbackV4, port: 0))
        appAddress = app.localAddress!
        let writer = try LogWriter(to: Descriptor(owning: open("/dev/null", O_WRONLY | O_CLOEXEC)))
        log = Log(level: .error, format: .text, writer: writer)
        var route = Route(
            name: "web", listen: [.address(.ip(.loopbackV4, port: 0))], upstream: .address(appAddress),
            settings: RouteSettings { $0.hold = .zero })
        change(&route)
        let settings = ProgramSettings {
            $0.workers = .count(workers)
            $0.log.level = .error
            $0.log.access = false
            $0.drain = .milliseconds(200)
        }
        let configuration = Configuration(settings, routes: [route])
        server = try Server(configuration, log: log, on: loop)
        try server.start()
    }

    deinit {
        log.close()
    }

    func run(until condition: @escaping () -> Bool) throws {
        let isSo = try loop.run(until: condition)
        try #require(isSo)
    }

    /// Returns the server's snapshot of this moment.
    func snapshot() throws -> Snapshot {
        var snapshot: Snapshot?
        server.snapshot { snapshot = $0 }
        #expect(snapshot == nil, "it comes in a later turn")
        try run { snapshot != nil }
        return try #require(snapshot)
    }

    /// Returns a route of the snapshot; nil where there is none.
    func route(_ name: String = "web") throws -> Snapshot.Route? {
        try snapshot().routes.first { $0.name == name }
    }

    /// Returns a route of the snapshot, which must be there.
    func presentRoute(_ name: String = "web") throws -> Snapshot.Route {
        let route = try route(name)
        return try #require(route)
    }

    /// Takes snapshots until the route meets a condition.
    func route(
        _ name: String = "web", sourceLocation: SourceLocation = #_sourceLocation,
        until condition: @escaping (Snapshot.Route) -> Bool
    ) throws -> Snapshot.Route {
        let start = MonotonicTime.now
        while MonotonicTime.now.since(start) < .seconds(20) {
            if let route = try route(name), condition(route) { return route }
            usleep(2000)
        }
        let last = try presentRoute(name)
        let causes = FailureCause.allCases.filter { last.counters.failures[$0] > 0 }
        Issue.record("this did not come about; failures: \(causes), route: \(last)", sourceLocation: sourceLocation)
        return last
    }

    /// A client that has connected to a route.
    func connect(to number: Int? = nil) throws -> Peer {
        let address = try #require(
            server.listeners.boundAddresses(ofRoute: number ?? server.routes.configured[0]).first)
        let socket = try Socket(toReach: address)
        while socket.connect(to: address) == .inProgress {}
        return Peer(socket)
    }

    /// The app's side of the next connection that reaches it.
    func accept() throws -> Peer {
        var peer: Peer?
        try run { [self] in
            // It is looked at once more at the end.
            guard peer == nil else { return true }
            if case .accepted(let socket, from: _) = app.accept() { peer = Peer(socket) }
            return peer != nil
        }
        return try #require(peer)
    }

    /// Waits until this many bytes have arrived.
    func expect(_ peer: Peer, toHave count: Int) throws {
        try run {
            peer.read()
            return peer.received.count >= count || peer.end != nil
        }
    }

    func expectEnd(of peer: Peer) throws {
        try run {
            peer.read()
            return peer.end != nil
        }
    }
}

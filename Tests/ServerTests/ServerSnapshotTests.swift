import Configuration
import EventLoop
import Glibc
import Network
import Observability
import TestSupport
import Testing

@testable import Server

/// The snapshot of a running server.
@Suite(.serialized, .timeLimit(.minutes(1))) struct ServerSnapshotTests {
    @Test func aServerThatHasJustStartedSaysWhatItIs() throws {
        let before = Timestamp.now.secondsSince1970
        let running = try RunningServer(workers: 2) {
            $0.maxConnections = 7
            $0.upstreamConnections.max = 3
            $0.upstreamConnections.queue = 4
        }
        let snapshot = try running.snapshot()
        #expect(snapshot.program.version == Server.version)
        #expect((before - 0.001...Timestamp.now.secondsSince1970).contains(snapshot.program.startTime.secondsSince1970))
        #expect(!snapshot.program.isDraining && !snapshot.program.findsRoutes)
        #expect(snapshot.workers.map(\.number) == [0, 1])
        #expect(snapshot.workers.allSatisfy { $0.connections == 0 && $0.parkedBytes == 0 && $0.loopLag >= .zero })
        #expect(snapshot.reloads == Snapshot.Reloads(lastSuccess: snapshot.reloads.lastSuccess))
        let route = try #require(snapshot.routes.first)
        #expect(snapshot.routes.count == 1)
        #expect(route.name == "web" && route.protocol == "tcp" && route.upstream == "\(running.appAddress)")
        #expect(route.listen.count == 1 && route.listen[0].hasPrefix("127.0.0.1:") && !route.listen[0].hasSuffix(":0"))
        #expect(route.app == Snapshot.AppState(.up))
        #expect(route.connectionLimit == 7 && route.upstreamConnectionLimit == 3 && route.queueLimit == 4)
        #expect(route.connections == 0 && route.counters.connections == 0 && route.counters.failures.total == 0)
    }

    @Test(arguments: [1, 2]) func bytesAreCountedWhileTheyFlowAndWhenTheConnectionHasEnded(workers: Int) throws {
        let running = try RunningServer(workers: workers)
        let client = try running.connect()
        let app = try running.accept()
        #expect(client.send([UInt8](repeating: 1, count: 1000)) == 1000)
        #expect(app.send([UInt8](repeating: 2, count: 70_000)) == 70_000)
        try running.expect(app, toHave: 1000)
        try running.expect(client, toHave: 70_000)
        let during = try running.presentRoute()
        #expect(during.counters.bytesToApp == 1000 && during.counters.bytesToClient == 70_000)
        #expect(during.connections == 1 && during.upstreamConnections == 1)
        #expect(during.counters.connections == 1 && during.counters.endedConnections == 0)
        #expect(during.counters.connectTime.total == 1 && during.counters.waitTime.total == 1)
        #expect(during.counters.connectionTime.total == 0)

        #expect(client.send([3]) == 1)
        client.finishSending()
        app.finishSending()
        try running.expectEnd(of: app)
        let after = try running.route { $0.connections == 0 }
        #expect(after.counters.bytesToApp == 1001 && after.counters.bytesToClient == 70_000)
        #expect(after.upstreamConnections == 0)
        #expect(after.counters.connections == 1 && after.counters.endedConnections == 1)
        #expect(after.counters.connectionTime.total == 1)
        #expect(after.counters.failures.total == 0 && after.counters.requests.total == 0)
    }

    // MARK: HTTP

    private static let request = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
    private static let answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

    @Test func requestsAreCountedAsTheyEnd() throws {
        let running = try RunningServer { $0.protocol = .http }
        let client = try running.connect()
        let start = MonotonicTime.now
        var app: Peer?
        for number in 1...3 {
            #expect(client.send(Self.request.utf8) == Self.request.utf8.count)
            if app == nil { app = try running.accept() }
            let server = try #require(app)
            try running.expect(server, toHave: number * 40)
            let during = try running.presentRoute()
            #expect(during.counters.requests.total == UInt64(number - 1))
            #expect(during.upstreamConnections == 1 && during.idle == 0)
            #expect(server.send(Self.answer.utf8) == Self.answer.utf8.count)
            try running.expect(client, toHave: number * Self.answer.utf8.count)
        }
        let route = try running.route { $0.counters.requests.total == 3 }
        // Not before: the worker may look at its clock after the client has everything.
        let took = MonotonicTime.now.since(start)
        let requests = route.counters.requests
        #expect(route.protocol == "http")
        #expect(requests.byClass[2] == 3 && requests.time.total == 3 && requests.firstByteTime.total == 3)
        #expect(requests.responseSize.sum == 15 && requests.requestSize.sum == 0)
        #expect(requests.time.sum > 0 && .nanoseconds(requests.time.sum) < took)
        #expect(requests.firstByteTime.sum > 0 && requests.firstByteTime.sum <= requests.time.sum)
        // The heads that were rewritten count among the bytes.
        #expect(route.counters.bytesToClient == UInt64(client.received.count))
        let server = try #require(app)
        try running.expect(server, toHave: Int(route.counters.bytesToApp))
        #expect(UInt64(server.received.count) == route.counters.bytesToApp)
        // Used once new, and twice kept.
        #expect(route.counters.connectTime.total == 1)
        #expect(route.counters.pool.hits == 2 && route.counters.pool.misses == 1)
        #expect(route.connections == 1 && route.upstreamConnections == 0 && route.idle == 1 && route.spare == 0)
        client.close()
        #expect(try running.route { $0.connections == 0 }.counters.bytesToClient == route.counters.bytesToClient)
    }

    @Test func anErrorPageIsAnAnswerWithAStatusAndASize() throws {
        let running = try RunningServer {
            $0.protocol = .http
            $0.upstream = .address(.unix(path: "/nowhere/app.sock"))
        }
        let client = try running.connect()
        _ = client.send(Self.request.utf8)
        try running.expectEnd(of: client)
        let counters = try running.route { $0.counters.requests.total == 1 }.counters
        #expect(counters.requests.byClass[5] == 1 && counters.requests.time.total == 1)
        #expect(counters.requests.firstByteTime.total == 0)
        let text = String(decoding: client.received, as: UTF8.self)
        let head = try #require(text.firstRange(of: "\r\n\r\n"))
        #expect(counters.requests.responseSize.sum == UInt64(text[head.upperBound...].utf8.count))
        #expect(counters.bytesToClient == UInt64(client.received.count) && counters.bytesToApp == 0)
        #expect(counters.failures[.appNotListening] == 1)
    }

    @Test func connectionsThatAreOpenedAheadAreSeen() throws {
        let running = try RunningServer { $0.pool.spare = 2 }
        let before = try running.route { $0.spare == 2 }
        #expect(before.idle == 0 && before.counters.pool.hits == 0)
        let client = try running.connect()
        let after = try running.route { $0.upstreamConnections == 1 && $0.spare == 2 }
        #expect(after.counters.pool.hits == 1)
        // Nobody waited for anything, and nobody was called for this client.
        #expect(after.counters.waitTime.total == 0 && after.counters.connectTime.total == 0)
        withExtendedLifetime(client) {}
    }

    // MARK: Routes that come and go

    /// A configuration with other settings or names of the one route.
    private func changed(_ running: RunningServer, _ change: (inout Route) -> Void) -> Configuration {
        var configuration = running.server.configuration
        change(&configuration.routes[0])
        return configuration
    }

    @Test func aRouteThatWasChangedKeepsItsCounters() throws {
        let running = try RunningServer { $0.protocol = .http }
        func ask() throws -> (client: Peer, app: Peer) {
            let client = try running.connect()
            _ = client.send(Self.request.utf8)
            let app = try running.accept()
            try running.expect(app, toHave: 40)
            _ = app.send(Self.answer.utf8)
            try running.expect(client, toHave: Self.answer.utf8.count)
            return (client, app)
        }
        let first = try ask()
        let before = try running.route { $0.counters.requests.total == 1 && $0.idle == 1 }
        #expect(running.server.reload(changed(running) { $0.maxConnections = 5 }) != nil)
        let between = try running.presentRoute()
        #expect(between.connectionLimit == 5)
        #expect(between.counters.connections == 1 && between.counters.requests.total == 1)
        #expect(between.counters.pool.misses == before.counters.pool.misses)
        // Those of its predecessor's pool are closed, and go on to be counted.
        #expect(between.counters.pool.evictions == 1 && between.idle == 0)
        let second = try ask()
        let after = try running.route { $0.counters.requests.total == 2 }
        #expect(after.counters.connections == 2 && after.counters.pool.misses == 2)
        #expect(after.counters.bytesToClient >= between.counters.bytesToClient)
        withExtendedLifetime((first, second)) {}
    }

    @Test func aNameThatHasGoneIsForgottenAndBeginsAnewIfItComesBack() throws {
        let running = try RunningServer()
        let client = try running.connect()
        let app = try running.accept()
        _ = client.send([1, 2, 3])
        try running.expect(app, toHave: 3)
        #expect(try running.route()?.counters.connections == 1)
        let original = running.server.configuration
        #expect(running.server.reload(changed(running) { $0.name = "other" }) != nil)
        let between = try running.snapshot()
        // Its connection goes on meanwhile, and is nobody else's.
        #expect(between.routes.map(\.name) == ["other"] && between.routes[0].counters.connections == 0)
        #expect(between.workers[0].connections == 1)
        #expect(running.server.reload(original) != nil)
        #expect(try running.route()?.counters.connections == 0)
        client.close()
        app.close()
        while try running.snapshot().workers[0].connections > 0 { usleep(2000) }
        let after = try running.presentRoute()
        #expect(after.counters.endedConnections == 0 && after.counters.bytesToApp == 0)
    }

    // MARK: Counters never go back

    private func look(at running: RunningServer, after last: inout RouteCounters) throws {
        let route = try running.presentRoute()
        let counters = route.counters
        #expect(counters.connections >= last.connections && counters.endedConnections >= last.endedConnections)
        #expect(counters.endedConnections <= counters.connections)
        #expect(counters.bytesToApp >= last.bytesToApp && counters.bytesToClient >= last.bytesToClient)
        #expect(counters.requests.total >= last.requests.total)
        #expect(counters.pool.hits >= last.pool.hits && counters.pool.misses >= last.pool.misses)
        #expect(counters.connectTime.total >= last.connectTime.total)
        last = counters
    }

    @Test(arguments: [RouteProtocol.tcp, .http]) func whatIsCountedOnlyGrows(protocol: RouteProtocol) throws {
        let running = try RunningServer(workers: 2) { $0.protocol = `protocol` }
        var last = RouteCounters()
        var sent: UInt64 = 0
        for round in 0..<30 {
            let client = try running.connect()
            _ = client.send(Self.request.utf8)
            try look(at: running, after: &last)
            if `protocol` == .http {
                // The last one's connection to the app is not kept: it was closed with it.
                let app = try running.accept()
                try running.expect(app, toHave: 40)
                _ = app.send(Self.answer.utf8)
                try look(at: running, after: &last)
                try running.expect(client, toHave: Self.answer.utf8.count)
                app.close()
            } else {
                let app = try running.accept()
                _ = app.send(Self.answer.utf8)
                try running.expect(app, toHave: Self.request.utf8.count)
                try running.expect(client, toHave: Self.answer.utf8.count)
                try look(at: running, after: &last)
                if round % 2 == 0 { app.reset() } else { app.close() }
            }
            sent += UInt64(Self.answer.utf8.count)
            try look(at: running, after: &last)
            client.close()
            try look(at: running, after: &last)
        }
        let end = try running.route { $0.connections == 0 }
        #expect(end.counters.connections == 30 && end.counters.endedConnections == 30)
        #expect(end.counters.bytesToClient >= sent)
    }

    // MARK: The app

    @Test func anAppThatGoesAndComesBackIsSeenToWithoutBeingCalled() throws {
        let path = "/tmp/loopbridge-snapshot-\(getpid()).sock"
        unlink(path)
        defer { unlink(path) }
        let running = try RunningServer { $0.upstream = .address(.unix(path: path)) }
        #expect(try running.route()?.app == Snapshot.AppState(.down))
        let before = Timestamp.now.secondsSince1970
        let app = try ListeningSocket(on: .unix(path: path))
        let up = try running.presentRoute().app
        #expect(up.presence == .up)
        let since = try #require(up.since).secondsSince1970
        #expect((before - 0.001...Timestamp.now.secondsSince1970).contains(since))
        // It has not changed meanwhile.
        usleep(2000)
        #expect(try running.route()?.app == up)
        unlink(path)
        #expect(try running.route()?.app.presence == .down)
        _ = app.number
    }

    // MARK: Draining

    @Test func aServerThatDrainsSaysSo() throws {
        let running = try RunningServer(workers: 2)
        var isDrained = false
        running.server.drain { isDrained = true }
        #expect(try running.snapshot().program.isDraining)
        try running.run { isDrained }
        #expect(try running.snapshot().program.isDraining)
    }

    /// A snapshot takes up to a second, and its server may have gone by then.
    @Test func aServerMayGoBeforeItsSnapshotIsThere() throws {
        var running: RunningServer? = try RunningServer()
        let loop = try #require(running?.loop)
        var isTold = false
        running?.server.snapshot { _ in isTold = true }
        weak let server = running?.server
        running = nil
        #expect(server == nil)
        #expect(try !loop.run(until: { isTold }, atMost: .milliseconds(1200)))
    }
}

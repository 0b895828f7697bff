import Configuration
import EventLoop
import Glibc
import Network
import Observability
import TestSupport
import Testing

@testable import Proxy

/// What a running server says of itself.
@Suite(.timeLimit(.minutes(1))) struct ServerSnapshotTests {
    @Test func aServerThatHasJustStartedSaysWhatItIs() throws {
        let before = Timestamp.now.secondsSince1970
        let running = try RunningServer(workers: 2) {
            $0.maxConnections = 7
            $0.upstreamConnections = UpstreamConnections(max: 3, queue: 4)
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
        let during = try #require(try running.route())
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
}

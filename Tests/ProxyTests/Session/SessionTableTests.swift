import Configuration
import EventLoop
import Observability
import TestSupport
import Testing

@testable import Proxy

/// A session that notes what it is asked for, and ends where it is told to.
private final class ProbeSession: Session {
    var connection: ClientConnection
    var index = 0
    private(set) var calls: [String] = []
    var endsOnDrain = false
    private(set) var looks = 0

    init(_ connection: consuming ClientConnection) {
        self.connection = connection
    }

    var bytesMoved: (toApp: UInt64, toClient: UInt64) { (3, 4) }
    var usesApp: Bool { true }
    var keepsApp: Bool { false }

    func start() { calls.append("start") }

    func boundBuffers(to bytes: Int?) { calls.append("bound \(bytes ?? 0)") }

    func abort(_ reason: SessionEnd) {
        calls.append("abort")
        worker.sessions.end(self, bytesMoved: bytesMoved)
    }

    func drain() {
        calls.append("drain")
        if endsOnDrain { worker.sessions.end(self, bytesMoved: bytesMoved) }
    }

    func checkTimeouts(_ hearing: Hearing) { looks += 1 }
}

@Suite(.timeLimit(.minutes(1))) struct SessionTableTests {
    private func start(_ count: Int, on bench: SessionBench) throws -> [ProbeSession] {
        try (0..<count).map { _ in
            let session = ProbeSession(try bench.connection())
            bench.worker.sessions.start(session)
            return session
        }
    }

    @Test func keepsWhoIsThere() throws {
        let bench = try SessionBench()
        let table = bench.worker.sessions
        var emptied = 0
        table.onEmpty = { emptied += 1 }
        let sessions = try start(4, on: bench)
        #expect(sessions.map(\.index) == [0, 1, 2, 3] && table.count == 4 && bench.route.permits == 4)
        #expect(sessions.allSatisfy { $0.calls == ["start"] })
        // From the middle, from the end, and the rest.
        for (gone, left) in [(1, [0, 2, 3]), (3, [0, 2]), (0, [2]), (2, [])] {
            sessions[gone].abort(.drained)
            #expect(
                Set(bench.sessions.map { ObjectIdentifier($0) }) == Set(left.map { ObjectIdentifier(sessions[$0]) }))
            #expect(left.allSatisfy { bench.sessions[sessions[$0].index] === sessions[$0] })
            #expect(bench.route.permits == left.count && sessions[gone].socket == nil)
        }
        #expect(table.isEmpty && emptied == 1)
        let counters = bench.route.traffic.snapshot.counters
        #expect(counters.endedConnections == 4 && counters.bytesToApp == 12 && counters.bytesToClient == 16)
    }

    @Test func aSuccessorTakesThePosition() throws {
        let bench = try SessionBench()
        let sessions = try start(3, on: bench)
        let successor = ProbeSession(sessions[1].connection.handOn())
        bench.worker.sessions.replace(sessions[1], by: successor)
        #expect(successor.index == 1 && bench.sessions[1] === successor && bench.route.permits == 3)
        successor.abort(.drained)
        #expect(bench.worker.sessions.count == 2 && sessions[2].index == 1)
        bench.worker.sessions.abort(.drained)
    }

    @Test func sessionsMayEndWhileAllAreAsked() throws {
        let bench = try SessionBench()
        let sessions = try start(5, on: bench)
        for index in [0, 2, 4] { sessions[index].endsOnDrain = true }
        #expect(!bench.worker.sessions.drain())
        #expect(bench.worker.sessions.count == 2 && sessions.allSatisfy { $0.calls == ["start", "drain"] })
        #expect(bench.worker.sessions.drain { $0 === sessions[1] })
        #expect(sessions[1].calls.count == 2 && sessions[3].calls.count == 3)
        bench.worker.sessions.abort(.drained, route: 2)
        #expect(bench.worker.sessions.count == 2)
        bench.worker.sessions.abort(.drained, route: 1)
        #expect(bench.worker.sessions.isEmpty)
    }

    @Test func aBoundOnBuffersIsForThoseWhoComeToo() throws {
        let bench = try SessionBench()
        let table = bench.worker.sessions
        let first = try start(1, on: bench)[0]
        table.boundBuffers(to: nil)
        #expect(first.calls == ["start"])
        table.boundBuffers(to: 8192)
        let second = try start(1, on: bench)[0]
        #expect(first.calls == ["start", "bound 8192"] && second.calls == ["bound 8192", "start"])
        table.boundBuffers(to: nil)
        #expect(first.calls.last == "bound 0" && second.calls.last == "bound 0")
        table.boundBuffers(to: nil)
        #expect(first.calls.count == 3)
        table.abort(.drained)
    }

    /// The next look was planned for a minute on.
    @Test func aShorterTimeoutBringsTheLookForward() throws {
        let bench = try SessionBench {
            $0.idleTimeout = .seconds(3600)
            $0.halfCloseTimeout = .seconds(3600)
        }
        let sessions = try start(2, on: bench)
        bench.worker.sessions.shortestTimeout = .milliseconds(80)
        try bench.run { sessions.allSatisfy { $0.looks >= 2 } }
        // Who has ended is looked at no more.
        sessions[0].abort(.drained)
        let looks = sessions[0].looks
        let before = sessions[1].looks
        try bench.run { sessions[1].looks > before + 1 }
        #expect(sessions[0].looks == looks)
        bench.worker.sessions.abort(.drained)
    }
}

import Configuration
import EventLoop
import Glibc
import Network
import Observability
import Relay
import TestSupport
import Testing
import Upstream

@testable import Proxy

/// A client of bytes, from its first moment to its end, at every stage of the way to the app.
@Suite(.timeLimit(.minutes(1))) struct TCPSessionTests {
    // MARK: Relaying

    @Test func carriesBytesAndEndsBothWays() throws {
        let bench = try SessionBench()
        let client = try bench.connect()
        let app = try bench.accept()
        #expect(client.send("question".utf8) == 8)
        try bench.expect(app, toHave: "question")
        #expect(bench.sessions.first?.usesApp == true && bench.sessions.first?.keepsApp == false)
        client.finishSending()
        try bench.expectEnd(of: app, 0)
        #expect(app.send("response".utf8) == 8)
        try bench.expect(client, toHave: "response")
        #expect(bench.sessions.first.map { $0.bytesMoved == (8, 8) } == true)
        app.finishSending()
        try bench.expectEnd(of: client, 0)
        try bench.expectNobody()
        let counters = bench.route.traffic.snapshot.counters
        #expect(counters.bytesToApp == 8 && counters.bytesToClient == 8)
    }

    @Test func whatTheClientSaysBeforeTheAppIsThereIsNotLost() throws {
        let bench = try SessionBench()
        let client = try bench.connect()
        #expect(client.send("early".utf8) == 5)
        client.finishSending()
        let app = try bench.accept()
        try bench.expect(app, toHave: "early")
        try bench.expectEnd(of: app, 0)
        app.close()
        try bench.expectEnd(of: client, 0)
        try bench.expectNobody()
    }

    @Test func aResetOfTheClientReachesTheApp() throws {
        let bench = try SessionBench()
        let client = try bench.connect()
        let app = try bench.accept()
        try bench.run { bench.sessions.first?.usesApp == true }
        client.reset()
        try bench.expectEnd(of: app, ECONNRESET)
        try bench.expectNobody(cause: .clientFailed)
    }

    @Test func aResetOfTheAppReachesTheClient() throws {
        let bench = try SessionBench()
        let client = try bench.connect()
        let app = try bench.accept()
        try bench.run { bench.sessions.first?.usesApp == true }
        app.reset()
        try bench.expectEnd(of: client, ECONNRESET)
        try bench.expectNobody(cause: .appFailed)
    }

    @Test(arguments: [
        (ProxyHeaderForm.v1, Array("PROXY TCP4 127.0.0.1 127.0.0.1 40000 ".utf8)),
        (.v2, [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10, 0x21, 0x11]),
    ])
    func aHeaderForTheAppComesFirst(form: ProxyHeaderForm, beginning: [UInt8]) throws {
        let bench = try SessionBench { $0.proxyProtocol.send = form }
        let client = try bench.connect()
        #expect(client.send("question".utf8) == 8)
        let app = try bench.accept()
        try bench.run {
            app.read()
            return app.received.suffix(8) == Array("question".utf8)
        }
        #expect(app.received.starts(with: beginning))
        client.finishSending()
        app.finishSending()
        try bench.expectEnd(of: client, 0)
        try bench.expectNobody()
    }

    // MARK: Waiting for the client's first byte

    private func silentBench(_ change: (inout Route) -> Void = { _ in }) throws -> SessionBench {
        try SessionBench {
            $0.connect = .firstByte
            change(&$0)
        }
    }

    @Test func aSilentClientIsNobodyToTheApp() throws {
        let bench = try silentBench()
        let client = try bench.connect()
        for _ in 0..<3 { bench.loop.runOnce() }
        #expect(!bench.appIsCalled && bench.sessions.first?.usesApp == false)
        #expect(client.send("question".utf8) == 8)
        let app = try bench.accept()
        try bench.expect(app, toHave: "question")
        client.finishSending()
        app.finishSending()
        try bench.expectEnd(of: client, 0)
        try bench.expectNobody()
    }

    @Test func aClientThatEndsInSilenceHasFinished() throws {
        let bench = try silentBench()
        let client = try bench.connect()
        client.finishSending()
        try bench.expectEnd(of: client, 0)
        try bench.expectNobody()
        #expect(!bench.appIsCalled)
    }

    @Test func aSilentClientThatFailsIsCounted() throws {
        let bench = try silentBench()
        let client = try bench.connect()
        client.reset()
        try bench.expectNobody(cause: .clientFailed)
        #expect(!bench.appIsCalled)
    }

    @Test func aSilentClientHasItsTime() throws {
        let bench = try silentBench { $0.idleTimeout = .milliseconds(50) }
        let client = try bench.connect()
        try bench.expectEnd(of: client, ECONNRESET)
        try bench.expectNobody(cause: .idleTimeout)
    }

    @Test func onlyTheServersEndDrainsASilentClient() throws {
        let bench = try silentBench()
        let client = try bench.connect()
        bench.route.isRemoved = true
        bench.worker.sessions.drain()
        #expect(bench.worker.sessions.count == 1)
        bench.worker.isDraining = true
        bench.worker.sessions.drain()
        try bench.expectEnd(of: client, ECONNRESET)
        try bench.expectNobody(cause: .drained)
    }

    // MARK: Waiting for the app

    @Test func aRefusalOfTheAppResetsTheClient() throws {
        let bench = try SessionBench { $0.upstream = .address(.unix(path: "/nowhere/app.sock")) }
        let client = try bench.connect()
        try bench.expectEnd(of: client, ECONNRESET)
        try bench.expectNobody(cause: .appNotListening)
    }

    /// A route to an app that may have one connection, which a client has.
    private func fullBench(queue: Int = 10, queueTimeout: Duration = .seconds(60)) throws -> (
        bench: SessionBench, first: Peer, app: Peer
    ) {
        let bench = try SessionBench {
            $0.upstreamConnections.max = 1
            $0.upstreamConnections.queue = queue
            $0.upstreamConnections.queueTimeout = queueTimeout
        }
        let first = try bench.connect()
        let app = try bench.accept()
        try bench.run { bench.sessions.first?.usesApp == true }
        return (bench, first, app)
    }

    private func finish(_ bench: SessionBench, _ client: Peer, _ app: Peer) throws {
        client.finishSending()
        app.finishSending()
        try bench.expectEnd(of: client, 0)
    }

    @Test func aClientInTheQueueIsServedInItsTurn() throws {
        let (bench, first, app) = try fullBench()
        let second = try bench.connect()
        #expect(second.send("question".utf8) == 8)
        try bench.run { bench.route.app.queuedCount == 1 }
        try finish(bench, first, app)
        let next = try bench.accept()
        try bench.expect(next, toHave: "question")
        try finish(bench, second, next)
        try bench.expectNobody()
    }

    @Test func aClientThatLeavesTheQueueIsCounted() throws {
        let (bench, first, app) = try fullBench()
        let second = try bench.connect()
        try bench.run { bench.route.app.queuedCount == 1 }
        second.close()
        try bench.run { bench.worker.sessions.count == 1 }
        #expect(bench.route.app.queuedCount == 0)
        try finish(bench, first, app)
        try bench.expectNobody(cause: .clientLeft)
    }

    /// It has said all that it wants to say, and waits.
    @Test func aClientThatHasFinishedItsRequestStaysInTheQueue() throws {
        let (bench, first, app) = try fullBench()
        let second = try bench.connect()
        try bench.run { bench.route.app.queuedCount == 1 }
        #expect(second.send("question".utf8) == 8)
        second.finishSending()
        for _ in 0..<5 { bench.loop.runOnce() }
        #expect(bench.route.app.queuedCount == 1)
        try finish(bench, first, app)
        let next = try bench.accept()
        try bench.expect(next, toHave: "question")
        next.finishSending()
        try bench.expectEnd(of: second, 0)
        try bench.expectNobody()
    }

    @Test func aClientThatFailsInTheQueueIsCounted() throws {
        let (bench, first, app) = try fullBench()
        let second = try bench.connect()
        try bench.run { bench.route.app.queuedCount == 1 }
        second.reset()
        try bench.run { bench.worker.sessions.count == 1 }
        try finish(bench, first, app)
        try bench.expectNobody(cause: .clientFailed)
    }

    @Test func aFullQueueResetsTheClient() throws {
        let (bench, first, app) = try fullBench(queue: 0)
        let second = try bench.connect()
        try bench.expectEnd(of: second, ECONNRESET)
        try finish(bench, first, app)
        try bench.expectNobody(cause: .queueFull)
    }

    @Test func theQueueHasATimeout() throws {
        let (bench, first, app) = try fullBench(queueTimeout: .milliseconds(50))
        let second = try bench.connect()
        try bench.expectEnd(of: second, ECONNRESET)
        try finish(bench, first, app)
        try bench.expectNobody(cause: .queueTimeout)
    }

    // MARK: Ends from outside

    @Test func anAbortResetsBothSides() throws {
        let bench = try SessionBench()
        let client = try bench.connect()
        let app = try bench.accept()
        try bench.run { bench.sessions.first?.usesApp == true }
        let session = try #require(bench.sessions.first)
        session.abort(.routeRemoved)
        try bench.expectEnd(of: client, ECONNRESET)
        try bench.expectEnd(of: app, ECONNRESET)
        try bench.expectNobody(cause: .routeRemoved)
        // Once it has ended, nothing is done.
        session.abort(.drained)
        session.drain()
        session.boundBuffers(to: 4096)
        try bench.expectNobody(cause: .routeRemoved)
    }

    @Test func anAbortTakesTheClientOutOfTheQueue() throws {
        let (bench, first, app) = try fullBench()
        let second = try bench.connect()
        try bench.run { bench.route.app.queuedCount == 1 }
        bench.sessions[1].abort(.routeRemoved)
        #expect(bench.route.app.queuedCount == 0)
        try bench.expectEnd(of: second, ECONNRESET)
        try finish(bench, first, app)
        try bench.expectNobody(cause: .routeRemoved)
    }

    @Test func aDrainLeavesARelayAlone() throws {
        let bench = try SessionBench()
        let client = try bench.connect()
        let app = try bench.accept()
        try bench.run { bench.sessions.first?.usesApp == true }
        bench.worker.isDraining = true
        bench.worker.sessions.drain()
        #expect(client.send("question".utf8) == 8)
        try bench.expect(app, toHave: "question")
        try finish(bench, client, app)
        try bench.expectNobody()
    }

    @Test(arguments: [
        (Duration.milliseconds(50), Duration.seconds(60), FailureCause.idleTimeout),
        (.seconds(60), .milliseconds(50), .halfCloseTimeout),
    ])
    func aRelayOnWhichNothingMovesEnds(idle: Duration, halfClose: Duration, cause: FailureCause) throws {
        let bench = try SessionBench {
            $0.idleTimeout = idle
            $0.halfCloseTimeout = halfClose
        }
        let client = try bench.connect()
        let app = try bench.accept()
        if cause == .halfCloseTimeout {
            client.finishSending()
            try bench.expectEnd(of: app, 0)
        }
        try bench.expectEnd(of: client, ECONNRESET)
        try bench.expectNobody(cause: cause)
    }
}

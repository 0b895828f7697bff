import EventLoop
import Network
import TestSupport
import Testing
import Upstream

@Suite(.timeLimit(.minutes(1))) struct CancelTests {
    @Test func whoeverLeavesWhileWaitingIsNotAnswered() throws {
        let loop = try EventLoop()
        let app = try App()
        let route = try Route(to: [app.address], on: loop)
        let answers = Answers()
        let requests = try answers.ask(route[0], 0..<6, untilWaitingOn: loop, count: 6)
        // The first of the line, one from its middle, and its last; each twice.
        for number in [0, 3, 5, 0, 3, 5] { requests[number].cancel() }
        #expect(route[0].waitingCount == 3)
        app.listen()
        #expect(try loop.run(until: { answers.count == 3 }))
        #expect(answers.order == [1, 2, 4])
        // Only those who stayed have come to the app.
        #expect(app.accept() == 3)
    }

    @Test func theLastToLeaveEndsTheWaiting() throws {
        let loop = try EventLoop()
        let app = try App()
        let route = try Route(to: [app.address], on: loop)
        let answers = Answers()
        let requests = try answers.ask(route[0], 0..<3, untilWaitingOn: loop, count: 3)
        for request in requests { request.cancel() }
        #expect(route[0].waitingCount == 0)
        app.listen()
        // Nobody waits, so this one is tried at once.
        answers.ask(route[0], 3)
        #expect(route[0].waitingCount == 0)
        #expect(try loop.run(until: { answers.count == 1 }))
        #expect(answers.order == [3])
        #expect(app.accept() == 1)
    }

    @Test func whoeverLeavesWhileBeingTriedMakesWayForTheOthers() throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen(backlog: 0)
        let route = try Route(to: [app.address], connectTimeout: .seconds(5), on: loop)
        let answers = Answers()
        try answers.ask(route[0], 0, answeredOn: loop)
        #expect(answers.count == 1)
        // The backlog is full now: these are undecided, and become so one after the other once they wait.
        let requests = (1...4).map { answers.ask(route[0], $0) }
        #expect(app.connectionsInTheMaking == 4)
        requests[0].cancel()
        #expect(app.connectionsInTheMaking == 3)
        #expect(try loop.run(until: { route[0].waitingCount == 3 }))
        #expect(try loop.run(until: { app.connectionsInTheMaking == 1 }))
        // The attempt that is under way is the first one's.
        requests[1].cancel()
        #expect(app.connectionsInTheMaking == 0)
        #expect(try loop.run(until: { app.accept() == 3 }))
        #expect(answers.order == [0, 3, 4])
        #expect(answers.kinds == [.connected(app.address)])
    }

    @Test func whoeverLeavesWhileBeingLetInMakesWayForTheOthers() throws {
        let loop = try EventLoop()
        let app = try App()
        let route = try Route(to: [app.address], connectTimeout: .seconds(5), on: loop)
        let answers = Answers()
        var requests: [ConnectRequest] = []
        requests = try answers.ask(route[0], 0..<5, untilWaitingOn: loop, count: 5)
        app.listen(backlog: 1)
        // Two are let in; the third is on its way when the backlog is full.
        #expect(try loop.run(until: { answers.count == 2 }))
        #expect(app.connectionsInTheMaking == 1)
        #expect(route[0].waitingCount == 2)
        requests[2].cancel()
        #expect(try loop.run(until: { app.accept() == 4 }))
        #expect(try loop.run(until: { answers.count == 4 }))
        #expect(answers.order == [0, 1, 3, 4])
        #expect(answers.kinds == [.connected(app.address)])
        // And the connector is back to normal.
        answers.ask(route[0], 5)
        #expect(try loop.run(until: { answers.count == 5 }))
    }

    @Test func whoeverLeavesWithAnAttemptOfItsOwnDoesNotHurryTheOthers() throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen(backlog: 0)
        let route = try Route(to: [app.address], connectTimeout: .seconds(5), on: loop)
        let answers = Answers()
        for number in 0...1 { answers.ask(route[0], number) }
        var late: ConnectRequest?
        let later = try Timer(on: loop) { late = answers.ask(route[0], 2) }
        later.schedule(after: .milliseconds(10))
        #expect(try loop.run(until: { late != nil && route[0].waitingCount > 0 }))
        // Let in on the strength of what another worker has seen, but undecided for now.
        route[0].receive(.appAnswers)
        answers.ask(route[0], 3)
        // The attempt that this one began before anybody waited is not the one that the last one waits for.
        late?.cancel()
        #expect(route[0].waitingCount == 1)
        #expect(try loop.run(until: { app.accept() == 3 && answers.count == 3 }))
        #expect(answers.order == [0, 1, 3])
    }

    @Test func leavingAfterTheAnswerDoesNothing() throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen()
        let route = try Route(to: [app.address], on: loop)
        let answers = Answers()
        let request = answers.ask(route[0], 1)
        #expect(try loop.run(until: { answers.count == 1 }))
        request.cancel()
        #expect(answers.answers[1] == .connected(app.address))
        try answers.ask(route[0], 2, answeredOn: loop)
        #expect(answers.count == 2)
    }

    @Test func aRequestThatNobodyKeepsIsWithdrawn() throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen(backlog: 0)
        let route = try Route(to: [app.address], on: loop)
        var answered = 0
        // One is taken, and the others are undecided.
        var requests = (0..<4).map { _ in route[0].connect { _ in answered += 1 } }
        #expect(app.connectionsInTheMaking == 3)
        withExtendedLifetime(requests) {}
        requests = []
        #expect(app.connectionsInTheMaking == 0)
        // Likewise where they wait.
        app.stopListening()
        requests = (0..<4).map { _ in route[0].connect { _ in answered += 1 } }
        #expect(try loop.run(until: { route[0].waitingCount == 4 }))
        withExtendedLifetime(requests) {}
        requests = []
        #expect(route[0].waitingCount == 0)
        #expect(answered == 0)
    }

    /// A completion may refer to its request's owner `unowned`.
    @Test func anOwnerThatGoesIsNotCalledAnyMore() throws {
        final class Client {
            var request: ConnectRequest?
            var isConnected = false
            init(_ connector: Connector) {
                request = connector.connect { [unowned self] _ in isConnected = true }
            }
        }
        let loop = try EventLoop()
        let app = try App()
        let route = try Route(to: [app.address], on: loop)
        var clients = (0..<3).map { _ in Client(route[0]) }
        #expect(try loop.run(until: { route[0].waitingCount == 3 }))
        clients.remove(at: 1)
        clients.remove(at: 0)
        app.listen()
        #expect(try loop.run(until: { clients[0].isConnected }))
        #expect(app.accept() == 1)
    }
}

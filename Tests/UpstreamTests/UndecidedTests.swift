import EventLoop
import Glibc
import Network
import TestSupport
import Testing
import Upstream

/// What may happen between a request's start and the turn of the loop in which its connection is found decided.
@Suite(.timeLimit(.minutes(1))) struct UndecidedTests {
    @Test(arguments: [false, true])
    func aLoopThatWasKeptBusyDoesNotBlameTheApp(isFirstRefusing: Bool) throws {
        let loop = try EventLoop()
        let (other, app) = (try App(), try App())
        app.listen()
        let candidates = (isFirstRefusing ? [other.address] : []) + [app.address]
        let route = try Route(to: candidates, on: loop)
        var obstacles: [Connector.Obstacle?] = []
        route[0].onObstacle = { obstacles.append($0) }
        let answers = Answers()
        // More than the loop looks at in one turn, so that their time is over before they are.
        for number in 0..<100 { answers.ask(route[0], number) }
        keepBusy(for: .milliseconds(60))
        #expect(try loop.run(until: { answers.count == 100 }))
        #expect(answers.kinds == [.connected(app.address)])
        #expect(obstacles.isEmpty)
        // None was given up for another.
        #expect(app.accept() == 100)
    }

    @Test func whatAnAppSaysBeforeItResetsIsThereToBeRead() throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen()
        let route = try Route(to: [app.address], on: loop)
        let answers = Answers()
        answers.ask(route[0], 0)
        try app.acceptAndReset(saying: Array("full".utf8))
        #expect(try loop.run(until: { answers.count == 1 }))
        #expect(answers.answers[0] == .connected(app.address))
        let connection = try #require(answers.connections.first)
        var buffer = [UInt8](repeating: 0, count: 10)
        #expect(buffer.withUnsafeMutableBytes { connection.socket.receive(into: $0) } == .moved(4))
        #expect(buffer.prefix(4) == Array("full".utf8)[...])
        #expect(buffer.withUnsafeMutableBytes { connection.socket.receive(into: $0) } == .failed(.system(ECONNRESET)))
        #expect(!connection.unusedReadiness.isDisjoint(with: [.readable, .failed]))
    }

    @Test func allWhoAreRefusedTogetherWaitInOrder() throws {
        let loop = try EventLoop()
        let app = try App()
        let route = try Route(to: [app.address], on: loop)
        var obstacles: [Connector.Obstacle?] = []
        route[0].onObstacle = { obstacles.append($0) }
        let answers = Answers()
        // Few enough for the loop to look at in one turn.
        for number in 0..<20 { answers.ask(route[0], number) }
        #expect(route[0].waitingCount == 0)
        // Refused already, all of them, although nobody knows yet.
        app.listen()
        #expect(try loop.run(until: { answers.count == 20 }))
        #expect(answers.order == Array(0..<20))
        #expect(answers.kinds == [.connected(app.address)])
        #expect(obstacles == [.notListening, nil])
        #expect(app.accept() == 20)
    }

    /// In a turn of the loop each, those who come meanwhile would make it go on for as long as there is load.
    @Test func allWhoWaitAreLetInInOneTurn() throws {
        let loop = try EventLoop()
        let app = try App()
        let route = try Route(to: [app.address], on: loop)
        let answers = Answers()
        try answers.ask(route[0], 0..<20, untilWaitingOn: loop, count: 20)
        app.listen()
        route[0].receive(.appAnswers)
        #expect(answers.order == Array(0..<20))
        #expect(route[0].waitingCount == 0)
        #expect(app.accept() == 20)
    }

    @Test func whoeverLeavesUndecidedLeavesNothingBehind() throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen()
        var route: Route? = try Route(to: [app.address], on: loop)
        weak let connector = route?[0]
        let answers = Answers()
        var requests = (0..<5).map { answers.ask(route![0], $0) }
        // From the middle, the end and the front of those who are undecided.
        for number in [2, 4, 0] { requests[number].cancel() }
        #expect(try loop.run(until: { answers.count == 2 }))
        #expect(answers.order == [1, 3])
        requests = (5..<8).map { answers.ask(route![0], $0) }
        for request in requests { request.cancel() }
        requests = []
        route = nil
        #expect(connector == nil)
        // What is left of them must not be called: neither by their sockets nor by the timer.
        let start = MonotonicTime.now
        #expect(try loop.run(until: { MonotonicTime.now.since(start) > .milliseconds(60) }))
        #expect(answers.order == [1, 3])
    }

    @Test(arguments: [false, true])
    func theConnectorStaysForThoseWhoAreUndecided(isListening: Bool) throws {
        let loop = try EventLoop()
        let app = try App()
        if isListening { app.listen() }
        var route: Route? = try Route(to: [app.address], hold: .milliseconds(50), on: loop)
        weak let connector = route?[0]
        let answers = Answers()
        for number in 0..<5 { answers.ask(route![0], number) }
        route = nil
        #expect(connector != nil)
        #expect(try loop.run(until: { answers.count == 5 }))
        #expect(answers.order == Array(0..<5))
        #expect(answers.kinds == [isListening ? .connected(app.address) : .refused])
        #expect(connector == nil)
    }

    @Test func aCompletionMayEndTheConnectorWhileOthersAreOverdue() throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen()
        var route: Route? = try Route(to: [app.address], on: loop)
        weak let connector = route?[0]
        let answers = Answers()
        var requests: [ConnectRequest] = []
        requests = (0..<100).map { number in
            answers.ask(route![0], number) {
                // The loop looks at fewer than these in one turn; then it tells the rest that their time is over.
                guard answers.count == 50 else { return }
                for request in requests { request.cancel() }
                requests = []
                route = nil
            }
        }
        keepBusy(for: .milliseconds(60))
        #expect(try loop.run(until: { answers.count >= 50 && connector == nil }))
        #expect(answers.count == 50)
    }

    /// Keeps the loop from having a turn.
    private func keepBusy(for time: Duration) {
        let start = MonotonicTime.now
        while MonotonicTime.now.since(start) < time {}
    }
}

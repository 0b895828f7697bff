import EventLoop
import Network
import TestSupport
import Testing
import Upstream

@Suite(.timeLimit(.minutes(1))) struct BacklogTests {
    @Test func anAppThatTakesNobodyIsATimeout() throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen(backlog: 0)
        let route = try Route(to: [app.address], hold: .zero, connectTimeout: .milliseconds(300), on: loop)
        var obstacles: [Connector.Obstacle?] = []
        route[0].onObstacle = { obstacles.append($0) }
        let answers = Answers()
        let start = MonotonicTime.now
        #expect(try answers.ask(route[0], 0, answeredOn: loop) == .connected(app.address))
        for number in 1..<5 { answers.ask(route[0], number) }
        try #require(try loop.run(until: { answers.count == 5 }))
        #expect(answers.kinds == [.connected(app.address), .timedOut])
        #expect(answers.order == Array(0..<5))
        // The loop's clock may be some milliseconds behind ours.
        #expect(answers.times[1].since(start) >= .milliseconds(290))
        #expect(answers.times[4].since(start) < .seconds(5))
        #expect(obstacles == [.busy])
        #expect(route[0].waitingCount == 0)
        #expect(app.connectionsInTheMaking == 0)
    }

    @Test func allWhoWaitAreConnectedOnceSomebodyAccepts() throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen(backlog: 0)
        let route = try Route(to: [app.address], connectTimeout: .seconds(5), on: loop)
        let answers = Answers()
        for number in 0..<5 { answers.ask(route[0], number) }
        #expect(try loop.run(until: { route[0].waitingCount == 4 }))
        #expect(answers.order == [0])
        // One place at a time, as a slow single-threaded app makes it.
        #expect(try loop.run(until: { app.accept() == 5 }))
        #expect(try loop.run(until: { answers.count == 5 }))
        #expect(answers.order == Array(0..<5))
        #expect(answers.kinds == [.connected(app.address)])
    }

    @Test func whileTheBacklogIsFullOneAttemptAtATimeIsMade() throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen(backlog: 0)
        let route = try Route(to: [app.address], workers: 2, connectTimeout: .seconds(5), on: loop)
        let answers = Answers()
        for number in 0..<10 { answers.ask(route[number % 2], number) }
        #expect(try loop.run(until: { route[0].waitingCount + route[1].waitingCount == 9 }))
        var most = 0
        var looks = 0
        // A look takes long where the machine has many connections, and nobody is held for longer than ten seconds.
        let start = MonotonicTime.now
        #expect(
            try loop.run(until: {
                most = max(most, app.connectionsInTheMaking)
                looks += 1
                return looks >= 200 || MonotonicTime.now.since(start) > .seconds(3)
            }))
        #expect(most == 1)
        #expect(try loop.run(until: { app.accept() == 10 }))
    }

    @Test func aUnixSocketWithAFullBacklogIsWaitedFor() throws {
        let loop = try EventLoop()
        let folder = try TemporaryFolder()
        let app = try App(on: folder.socket("app"))
        app.listen(backlog: 0)
        let route = try Route(to: [app.address], connectTimeout: .seconds(5), on: loop)
        let answers = Answers()
        for number in 0..<5 { answers.ask(route[0], number) }
        #expect(answers.order == [0])
        #expect(route[0].waitingCount == 4)
        #expect(try loop.run(until: { app.accept() == 5 }))
        #expect(answers.order == Array(0..<5))
        #expect(answers.kinds == [.connected(app.address)])
    }

    @Test func aUnixSocketWithAFullBacklogIsATimeout() throws {
        let loop = try EventLoop()
        let folder = try TemporaryFolder()
        let app = try App(on: folder.socket("app"))
        app.listen(backlog: 0)
        let route = try Route(to: [app.address], hold: .zero, connectTimeout: .milliseconds(200), on: loop)
        let answers = Answers()
        for number in 0..<3 { answers.ask(route[0], number) }
        #expect(try loop.run(until: { answers.count == 3 }))
        #expect(answers.answers == [0: .connected(app.address), 1: .timedOut, 2: .timedOut])
    }

    @Test func anAppThatEndsWhileItsBacklogIsFullIsRefusing() throws {
        let loop = try EventLoop()
        let folder = try TemporaryFolder()
        let address = folder.socket("app")
        var app: App? = try App(on: address)
        app?.listen(backlog: 0)
        let route = try Route(to: [address], hold: .zero, connectTimeout: .seconds(20), on: loop)
        let answers = Answers()
        for number in 0..<3 { answers.ask(route[0], number) }
        #expect(route[0].waitingCount == 2)
        app = nil
        // Without a hold there is nothing more to wait for.
        #expect(try loop.run(until: { answers.count == 3 }))
        #expect(answers.answers == [0: .connected(address), 1: .refused, 2: .refused])
    }

    /// Attempts take 25 ms each, at growing intervals: with some of these the first one's time ends during its fifth.
    @Test(arguments: [160, 175, 190, 205, 220])
    func whoeverHasWaitedTooLongMakesWayForTheNext(hold: Int) throws {
        var isNextConnected = false
        // Once more where the machine was too busy for the next one to have its time.
        for _ in 0..<20 where !isNextConnected {
            let loop = try EventLoop()
            let app = try App()
            app.listen(backlog: 0)
            let route = try Route(
                to: [app.address], hold: .milliseconds(hold), connectTimeout: .milliseconds(100), on: loop)
            let answers = Answers()
            for number in 0...1 { answers.ask(route[0], number) }
            let later = try Timer(on: loop) { answers.ask(route[0], 2) }
            later.schedule(after: .milliseconds(hold - 5))
            #expect(try loop.run(until: { answers.count >= 2 }))
            #expect(try loop.run(until: { app.accept() > 0 && answers.count == 3 }))
            #expect(answers.answers[1] == .timedOut)
            isNextConnected = answers.answers[2] == .connected(app.address)
        }
        #expect(isNextConnected)
    }
}

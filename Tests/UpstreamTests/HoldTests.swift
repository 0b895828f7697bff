import EventLoop
import Glibc
import Network
import TestSupport
import Testing
import Upstream

@Suite(.timeLimit(.minutes(1))) struct HoldTests {
    @Test func allWhoWaitAreConnectedInOrderOnceTheAppListens() throws {
        let loop = try EventLoop()
        let app = try App()
        let route = try Route(to: [app.address], on: loop)
        var obstacles: [Connector.Obstacle?] = []
        route[0].onObstacle = { obstacles.append($0) }
        let answers = Answers()
        try answers.ask(route[0], 0..<50, untilWaitingOn: loop, count: 50)
        #expect(answers.count == 0)
        app.listen()
        #expect(try loop.run(until: { answers.count == 50 }))
        #expect(answers.order == Array(0..<50))
        #expect(answers.kinds == [.connected(app.address)])
        #expect(app.accept() == 50)
        #expect(obstacles == [.notListening, nil])
        // From here on, requests are tried at once again.
        #expect(try answers.ask(route[0], 50, answeredOn: loop) == .connected(app.address))
        #expect(obstacles == [.notListening, nil])
        #expect(!answers.isAnsweredTwice)
    }

    @Test func allWhoWaitAreRefusedInOrderOnceTheHoldIsOver() throws {
        let loop = try EventLoop()
        let app = try App()
        let route = try Route(to: [app.address], hold: .milliseconds(100), on: loop)
        let answers = Answers()
        let start = MonotonicTime.now
        for number in 0..<20 { answers.ask(route[0], number) }
        #expect(try loop.run(until: { answers.count == 20 }))
        #expect(answers.order == Array(0..<20))
        #expect(answers.kinds == [.refused])
        let first = try #require(answers.times.first).since(start)
        // The loop's clock may be some milliseconds behind ours.
        #expect(first >= .milliseconds(90) && first < .seconds(5))
        #expect(route[0].waitingCount == 0)
    }

    @Test func theHoldIsEachRequestsOwn() throws {
        let loop = try EventLoop()
        let app = try App()
        // The second one's hold outlives the first one's by more than the machine may be busy otherwise.
        let route = try Route(to: [app.address], hold: .seconds(4), on: loop)
        let answers = Answers()
        var waiting: Int?
        answers.ask(route[0], 1) {
            waiting = route[0].waitingCount
            app.listen()
        }
        let later = try Timer(on: loop) { answers.ask(route[0], 2) }
        later.schedule(after: .seconds(2))
        #expect(try loop.run(until: { answers.count == 2 }))
        #expect(answers.answers == [1: .refused, 2: .connected(app.address)])
        #expect(waiting == 1)
    }

    @Test func attemptsAreMadeOneAtATimeAtGrowingIntervals() throws {
        let loop = try EventLoop()
        let folder = try TemporaryFolder()
        let address = folder.socket("app")
        let route = try Route(to: [address], on: loop)
        let answers = Answers()
        let start = MonotonicTime.now
        for number in 0..<9 { answers.ask(route[0], number) }
        // From here on each attempt fails, which ends the request that it is made for and shows the attempt.
        let app = try App(on: address, type: SOCK_DGRAM)
        #expect(try loop.run(until: { answers.count == 9 }))
        #expect(answers.order == Array(0..<9))
        #expect(answers.kinds == [.failed(EPROTOTYPE)])
        // The intervals start at 5 ms and double up to 250 ms; the loop's clock may be some milliseconds behind ours.
        for (time, earliest) in zip(answers.times, [5, 15, 35, 75, 155, 315, 565, 815, 1065]) {
            #expect(time.since(start) > .milliseconds(earliest - 10))
        }
        withExtendedLifetime(app) {}
    }

    /// The shortest time that something takes when it is done a few times, for the machine may be busy now and then; it is
    /// not done again once it was short enough.
    private func shortest(_ enough: Duration, _ work: () throws -> Duration) rethrows -> Duration {
        var shortest = try work()
        for _ in 0..<5 where shortest >= enough { shortest = min(shortest, try work()) }
        return shortest
    }

    @Test func anAppThatComesLateIsMetWithoutLongDelay() throws {
        // If the intervals went on growing, this one would last from 1.3 s to 2.6 s.
        #expect(try shortest(.milliseconds(800), delayOfAnAppThatComesLate) < .milliseconds(800))
    }

    private func delayOfAnAppThatComesLate() throws -> Duration {
        let loop = try EventLoop()
        let app = try App()
        let route = try Route(to: [app.address], hold: .seconds(30), on: loop)
        let answers = Answers()
        answers.ask(route[0], 1)
        var listened = MonotonicTime.now
        let start = try Timer(on: loop) {
            app.listen()
            listened = .now
        }
        start.schedule(after: .milliseconds(1400))
        #expect(try loop.run(until: { answers.count == 1 }))
        return try #require(answers.times.first).since(listened)
    }

    @Test func theIntervalsStartAnewWithEveryHold() throws {
        // Otherwise it would be 250 ms at the least.
        #expect(try shortest(.milliseconds(150), delayAfterAHold) < .milliseconds(150))
    }

    private func delayAfterAHold() throws -> Duration {
        let loop = try EventLoop()
        let folder = try TemporaryFolder()
        let address = folder.socket("app")
        let route = try Route(to: [address], hold: .milliseconds(700), on: loop)
        let answers = Answers()
        // The first hold ends when its intervals are at their longest.
        answers.ask(route[0], 1)
        #expect(try loop.run(until: { answers.count == 1 }))
        answers.ask(route[0], 2)
        let app = try App(on: address)
        app.listen()
        let start = MonotonicTime.now
        #expect(try loop.run(until: { answers.count == 2 }))
        #expect(answers.answers == [1: .refused, 2: .connected(address)])
        return try #require(answers.times.last).since(start)
    }

    @Test func aUnixSocketThatAppearsLaterIsConnectedTo() throws {
        let loop = try EventLoop()
        let folder = try TemporaryFolder()
        let address = folder.socket("app")
        let route = try Route(to: [address], on: loop)
        let answers = Answers()
        for number in 0..<3 { answers.ask(route[0], number) }
        #expect(route[0].waitingCount == 3)
        // The file first, the listening later: ENOENT, then ECONNREFUSED.
        let app = try App(on: address)
        answers.ask(route[0], 3)
        loop.runOnce()
        #expect(answers.count == 0)
        app.listen()
        #expect(try loop.run(until: { answers.count == 4 }))
        #expect(answers.order == [0, 1, 2, 3])
        #expect(answers.kinds == [.connected(address)])
        #expect(app.accept() == 4)
    }
}

import EventLoop
import Network
import Synchronization
import TestSupport
import Testing

@testable import Upstream

@Suite(.timeLimit(.minutes(1))) struct WorkersTests {
    @Test func oneMakesTheAttemptsAndTheOthersAreTold() throws {
        let loop = try EventLoop()
        let app = try App()
        let route = try Route(to: [app.address], workers: 3, on: loop)
        var reports: [Int] = []
        for worker in 0..<3 { route[worker].onObstacle = { reports.append($0 == nil ? 10 + worker : worker) } }
        let answers = Answers()
        for number in 0..<9 { answers.ask(route[number % 3], number) }
        try #require(try loop.run(until: { (0..<3).allSatisfy { route[$0].waitingCount == 3 } }))
        app.listen()
        #expect(try loop.run(until: { answers.count == 9 }))
        #expect(answers.kinds == [.connected(app.address)])
        // The first one that was refused reports it, and that the app answers again; the others say nothing.
        #expect(reports == [0, 10])
        // All three are back to normal.
        for number in 9..<12 { answers.ask(route[number % 3], number) }
        #expect(try loop.run(until: { answers.count == 12 }))
        #expect(answers.kinds == [.connected(app.address)])
        #expect(reports == [0, 10])
    }

    @Test func anotherTakesOverWhenTheFirstHasNoClientsLeft() throws {
        let loop = try EventLoop()
        let app = try App()
        let route = try Route(to: [app.address], workers: 2, on: loop)
        let answers = Answers()
        let requests = try answers.ask(route[0], 0..<1, untilWaitingOn: loop, count: 1)
        try answers.ask(route[1], 1..<2, untilWaitingOn: loop, count: 1)
        requests[0].cancel()
        app.listen()
        #expect(try loop.run(until: { answers.count == 1 }))
        #expect(answers.answers == [1: .connected(app.address)])
        #expect(app.accept() == 1)
        // The first one learns of it too.
        #expect(try answers.ask(route[0], 2, answeredOn: loop) == .connected(app.address))
    }

    @Test func anotherTakesOverWhenTheFirstOnesClientHasWaitedTooLong() throws {
        let loop = try EventLoop()
        let app = try App()
        let route = try Route(to: [app.address], workers: 2, hold: .seconds(4), on: loop)
        let answers = Answers()
        answers.ask(route[0], 0) { app.listen() }
        let later = try Timer(on: loop) { answers.ask(route[1], 1) }
        later.schedule(after: .seconds(2))
        #expect(try loop.run(until: { answers.count == 2 }))
        #expect(answers.answers == [0: .refused, 1: .connected(app.address)])
    }

    @Test func whoeverIsToldToTakeOverTooLatePassesItOn() throws {
        let loop = try EventLoop()
        let app = try App()
        let route = try Route(to: [app.address], workers: 3, on: loop)
        let answers = Answers()
        let first = try answers.ask(route[0], 0..<1, untilWaitingOn: loop, count: 1)
        let second = try answers.ask(route[1], 1..<2, untilWaitingOn: loop, count: 1)
        try answers.ask(route[2], 2..<3, untilWaitingOn: loop, count: 1)
        first[0].cancel()
        // The second worker has been told, and its client leaves before it has looked into its mailbox.
        second[0].cancel()
        app.listen()
        #expect(try loop.run(until: { answers.count == 1 }))
        #expect(answers.answers == [2: .connected(app.address)])
    }

    @Test func newsThatCrossesWithANewHoldDoesNotLeaveTheRouteHeld() throws {
        let loop = try EventLoop()
        let app = try App()
        let mail = Guarded<[(worker: Int, news: HoldCoordinator.News)]>([])
        let hold = HoldCoordinator { worker, news in mail.withLock { $0.append((worker, news)) } }
        let limits = Connector.Limits(hold: .seconds(10), connectTimeout: .seconds(1))
        let connectors = try (0..<2).map { worker in
            try Connector(to: [app.address], limits: limits, hold: hold, worker: worker, on: loop)
        }
        var reports: [Connector.Obstacle?] = []
        connectors[1].onObstacle = { reports.append($0) }
        let answers = Answers()
        try answers.ask(connectors[0], 0..<1, untilWaitingOn: loop, count: 1)
        try answers.ask(connectors[1], 1..<2, untilWaitingOn: loop, count: 1)
        app.listen()
        #expect(try loop.run(until: { answers.count == 1 }))
        // The second worker has not read yet that the app answers when one more of its clients comes.
        answers.ask(connectors[1], 2)
        for (worker, news) in mail.withLock({ $0 }) { connectors[worker].receive(news) }
        #expect(answers.order == [0, 1, 2])
        // The first one has reported it.
        #expect(reports.isEmpty)
        // Nobody is kept from the app any more, so nobody waits for the others.
        #expect(!hold.isHeld)
        try answers.ask(connectors[0], 3, answeredOn: loop)
        #expect(answers.order == [0, 1, 2, 3])
        #expect(app.accept() == 4)
    }

    @Test func refusalFromBeforeTheAppCameBackIsNoNews() throws {
        let loop = try EventLoop()
        let app = try App()
        let route = try Route(to: [app.address], workers: 2, on: loop)
        var reports: [Connector.Obstacle?] = []
        route[1].onObstacle = { reports.append($0) }
        let answers = Answers()
        try answers.ask(route[0], 0..<1, untilWaitingOn: loop, count: 1)
        let hold = route.coordinator
        #expect(hold.wait(1, refusedAfter: hold.appReturns) == .waits)
        hold.leave(1)
        let before = hold.appReturns
        hold.answered(0)
        // What the second worker's client met has been overtaken.
        #expect(hold.wait(1, refusedAfter: before) == .outdated)
        #expect(!hold.isHeld)
        // A client of the second worker is refused as the first worker gets through.
        answers.ask(route[1], 1)
        hold.answered(0)
        app.listen()
        #expect(try loop.run(until: { answers.count == 2 }, atMost: .seconds(3)))
        #expect(answers.kinds == [.connected(app.address)])
        #expect(reports.isEmpty)
    }

    @Test func aWorkerWithoutHoldDoesNotWaitForTheOthers() throws {
        let loop = try EventLoop()
        let app = try App()
        let hold = HoldCoordinator { _, _ in }
        let connectors = try [Duration.seconds(10), .zero].enumerated().map { worker, duration in
            try Connector(
                to: [app.address], limits: Connector.Limits(hold: duration, connectTimeout: .seconds(1)),
                hold: hold, worker: worker, on: loop)
        }
        let answers = Answers()
        let request = answers.ask(connectors[0], 0)
        #expect(try loop.run(until: { hold.isHeld }))
        try answers.ask(connectors[1], 1, answeredOn: loop)
        #expect(answers.answers == [1: .refused])
        request.cancel()
        #expect(!hold.isHeld)
    }

    @Test func anyNumberOfThreadsAgreeOnWhoMakesTheAttempts() throws {
        let told = Guarded([Bool](repeating: false, count: 4))
        let attempting = Atomic(0)
        let mostAttempting = Atomic(0)
        let finished = Atomic(0)
        let answered = Atomic(0)
        let hold = HoldCoordinator { worker, news in
            if case .takeOver = news { told.withLock { $0[worker] = true } }
        }
        for worker in 0..<4 {
            try Thread.start(named: "worker-\(worker)") {
                for round in 0..<2000 {
                    let returns = hold.appReturns
                    let isTold = told.withLock { told in
                        defer { told[worker] = false }
                        return told[worker]
                    }
                    let verdict = hold.wait(worker, refusedAfter: returns)
                    if verdict == .outdated {
                        if isTold { hold.leave(worker) }
                        continue
                    }
                    if verdict == .makesAttempts || isTold && hold.takeOver(worker) {
                        let count = attempting.wrappingAdd(1, ordering: .sequentiallyConsistent).newValue
                        mostAttempting.max(count, ordering: .sequentiallyConsistent)
                        attempting.wrappingSubtract(1, ordering: .sequentiallyConsistent)
                        if round % 3 == 0 {
                            answered.wrappingAdd(1, ordering: .relaxed)
                            hold.answered(worker)
                            continue
                        }
                    }
                    hold.leave(worker)
                }
                finished.wrappingAdd(1, ordering: .sequentiallyConsistent)
            }
        }
        let loop = try EventLoop()
        #expect(try loop.run(until: { finished.load(ordering: .sequentiallyConsistent) == 4 }))
        #expect(answered.load(ordering: .relaxed) > 0)
        #expect(mostAttempting.load(ordering: .sequentiallyConsistent) == 1)
        #expect(!hold.isHeld)
    }
}

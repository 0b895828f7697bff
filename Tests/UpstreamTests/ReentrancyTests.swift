import EventLoop
import Glibc
import Network
import TestSupport
import Testing
import Upstream

/// What a completion does may be anything: these take the connector by surprise.
@Suite(.timeLimit(.minutes(1))) struct ReentrancyTests {
    @Test func aCompletionMayCancelOthersThatAreLetIn() throws {
        let loop = try EventLoop()
        let app = try App()
        let route = try Route(to: [app.address], on: loop)
        let answers = Answers()
        var requests: [ConnectRequest] = []
        for number in 0..<6 {
            requests.append(
                answers.ask(route[0], number) {
                    guard number % 2 == 0 else { return }
                    requests[number + 1].cancel()
                    requests[number].cancel()
                })
        }
        app.listen()
        #expect(try loop.run(until: { answers.count == 3 && app.accept() == 3 }))
        #expect(answers.order == [0, 2, 4])
        requests = []
    }

    @Test func aCompletionMayAskAgain() throws {
        let loop = try EventLoop()
        let app = try App()
        let route = try Route(to: [app.address], on: loop)
        let answers = Answers()
        for number in 0..<3 {
            answers.ask(route[0], number) { answers.ask(route[0], number + 10) }
        }
        app.listen()
        #expect(try loop.run(until: { answers.count == 6 }))
        // Who asks later comes later.
        #expect(answers.order == [0, 1, 2, 10, 11, 12])
        #expect(answers.kinds == [.connected(app.address)])
        #expect(route[0].waitingCount == 0)
    }

    @Test func aRefusedCompletionMayAskAgainAndCancelOthers() throws {
        let loop = try EventLoop()
        let app = try App()
        let route = try Route(to: [app.address], hold: .milliseconds(100), on: loop)
        let answers = Answers()
        var requests: [ConnectRequest] = []
        for number in 0..<4 {
            requests.append(
                answers.ask(route[0], number) {
                    if number == 0 {
                        requests[2].cancel()
                        answers.ask(route[0], 10)
                    }
                })
        }
        #expect(try loop.run(until: { answers.count == 4 }))
        #expect(answers.order == [0, 1, 3, 10])
        #expect(answers.kinds == [.refused])
        app.listen()
        #expect(try answers.ask(route[0], 11, answeredOn: loop) == .connected(app.address))
        requests = []
    }

    @Test func aFailedCompletionMayCancelEverybodyElse() throws {
        let loop = try EventLoop()
        let folder = try TemporaryFolder()
        let address = folder.socket("app")
        let route = try Route(to: [address], on: loop)
        let answers = Answers()
        var requests: [ConnectRequest] = []
        for number in 0..<3 {
            requests.append(answers.ask(route[0], number) { for request in requests { request.cancel() } })
        }
        var app: App? = try App(on: address, type: SOCK_DGRAM)
        #expect(try loop.run(until: { answers.count == 1 }))
        #expect(route[0].waitingCount == 0)
        app = nil
        app = try App(on: address)
        app?.listen()
        answers.ask(route[0], 3)
        #expect(answers.order == [0, 3])
        requests = []
    }

    @Test func aRefusalMayAskAgainAndAgain() throws {
        let loop = try EventLoop()
        let app = try App()
        let route = try Route(to: [app.address], hold: .zero, on: loop)
        let answers = Answers()
        func again(_ number: Int) {
            if number == 50 { app.listen() }
            answers.ask(route[0], number) { if number < 50 { again(number + 1) } }
        }
        again(0)
        #expect(try loop.run(until: { answers.count == 51 }))
        #expect(answers.order == Array(0...50))
        #expect(answers.kinds == [.refused, .connected(app.address)])
    }

    /// On a Unix socket every answer comes before connect returns, from within the completion before it.
    @Test func anAnswerAtOnceMayAskAgainAndAgain() throws {
        let loop = try EventLoop()
        let folder = try TemporaryFolder()
        let address = folder.socket("app")
        let route = try Route(to: [address], hold: .zero, on: loop)
        let answers = Answers()
        var app: App?
        func again(_ number: Int) throws {
            if number == 50 {
                app = try App(on: address)
                app?.listen()
            }
            answers.ask(route[0], number) {
                if number < 100 { #expect(throws: Never.self) { try again(number + 1) } }
            }
        }
        try again(0)
        #expect(answers.order == Array(0...100))
        #expect(answers.kinds == [.refused, .connected(address)])
        #expect(app?.accept() == 51)
    }

    @Test(arguments: [Duration.zero, .milliseconds(50)])
    func aCompletionMayDropTheConnector(hold: Duration) throws {
        let loop = try EventLoop()
        let app = try App()
        var route: Route? = try Route(to: [app.address], hold: hold, on: loop)
        weak let connector = route?[0]
        let answers = Answers()
        answers.ask(route![0], 0) { route = nil }
        #expect(try loop.run(until: { answers.count == 1 }))
        #expect(answers.kinds == [.refused])
        #expect(connector == nil)
    }

    @Test func aConnectionMayDropTheConnectorThatOthersWaitFor() throws {
        let loop = try EventLoop()
        let app = try App()
        var route: Route? = try Route(to: [app.address], on: loop)
        weak let connector = route?[0]
        let answers = Answers()
        for number in 0..<3 { answers.ask(route![0], number) { route = nil } }
        app.listen()
        #expect(try loop.run(until: { answers.count == 3 }))
        #expect(answers.order == [0, 1, 2])
        #expect(connector == nil)
    }
}

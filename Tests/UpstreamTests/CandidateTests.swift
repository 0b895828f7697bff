import EventLoop
import Glibc
import Network
import TestSupport
import Testing
import Upstream

@Suite(.timeLimit(.minutes(1))) struct CandidateTests {
    @Test func theFirstThatAnswersIsTakenAndRemembered() throws {
        let loop = try EventLoop()
        let (first, second) = (try App(), try App())
        second.listen()
        let route = try Route(to: [first.address, second.address], hold: .zero, on: loop)
        let answers = Answers()
        #expect(try answers.ask(route[0], 1, answeredOn: loop) == .connected(second.address))
        // Now that both listen, the one that answered goes on being asked first.
        first.listen()
        #expect(try answers.ask(route[0], 2, answeredOn: loop) == .connected(second.address))
        #expect(first.accept() == 0)
        #expect(second.accept() == 2)
    }

    @Test func whatIsRememberedIsForgottenWhenItRefuses() throws {
        let loop = try EventLoop()
        let first = try App()
        var second: App? = try App()
        let secondAddress = second!.address
        second?.listen()
        let route = try Route(to: [first.address, secondAddress], hold: .zero, on: loop)
        let answers = Answers()
        #expect(try answers.ask(route[0], 1, answeredOn: loop) == .connected(secondAddress))
        second = nil
        first.listen()
        #expect(try answers.ask(route[0], 2, answeredOn: loop) == .connected(first.address))
    }

    @Test func anAppThatListensOnIPv6OnlyIsFound() throws {
        let loop = try EventLoop()
        let v4 = try App()
        let v6 = try App(on: .ip(.loopbackV6, port: 0))
        v6.listen()
        let route = try Route(to: [v4.address, v6.address], on: loop)
        let answers = Answers()
        #expect(try answers.ask(route[0], 1, answeredOn: loop) == .connected(v6.address))
        #expect(v6.accept() == 1)
    }

    @Test func withoutHoldARefusalIsToldWithoutWaiting() throws {
        let loop = try EventLoop()
        let (first, second) = (try App(), try App(on: .ip(.loopbackV6, port: 0)))
        let route = try Route(to: [first.address, second.address], hold: .zero, on: loop)
        let answers = Answers()
        var isKeptFromTheApp = false
        route[0].onObstacle = { _ in isKeptFromTheApp = true }
        #expect(try answers.ask(route[0], 1, answeredOn: loop) == .refused)
        #expect(!isKeptFromTheApp)
        #expect(route[0].waitingCount == 0)
    }

    @Test func aFailureThatIsNoRefusalIsToldAtOnce() throws {
        let loop = try EventLoop()
        let folder = try TemporaryFolder()
        // A Unix socket of another type does not connect: EPROTOTYPE (connect(2)).
        let app = try App(on: folder.socket("app"), type: SOCK_DGRAM)
        let route = try Route(to: [app.address], on: loop)
        let answers = Answers()
        answers.ask(route[0], 1)
        #expect(answers.answers[1] == .failed(EPROTOTYPE))
        // It says nothing about the requests that follow.
        #expect(route[0].waitingCount == 0)
    }

    @Test func aSocketThatIsConnectedToItselfIsARefusal() throws {
        let loop = try EventLoop()
        let range = EphemeralPorts.range
        // The kernel prefers one parity for the source ports of connections and leaves the other one to bind(2).
        let even = stride(from: range.lowerBound, through: range.upperBound, by: 2)
        let port = try #require(even.shuffled().first { (try? App(on: .ip(.loopbackV4, port: $0))) != nil })
        let address = SocketAddress.ip(.loopbackV4, port: port)
        let route = try Route(to: [address], hold: .zero, on: loop)
        let answers = Answers()
        let start = MonotonicTime.now
        // The source ports are taken in turn, so this many attempts meet the port itself, in all likelihood.
        for number in 0..<range.count where MonotonicTime.now.since(start) < .seconds(15) {
            answers.ask(route[0], number)
            for _ in 0..<1000 where answers.count <= number { loop.runOnce() }
            try #require(answers.count == number + 1)
        }
        #expect(answers.count > 1000)
        #expect(answers.kinds == [.refused])
    }
}

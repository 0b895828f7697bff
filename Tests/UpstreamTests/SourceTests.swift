import EventLoop
import Glibc
import Network
import TestSupport
import Testing

@testable import Upstream

@Suite(.timeLimit(.minutes(1))) struct SourceTests {
    private let app = SocketAddress.ip(.loopbackV4, port: 8000)
    private let client = IPAddress("172.17.0.9")!
    private let standIn = IPAddress("127.17.0.9")!
    private let noPortLeft = SystemError("connect", code: EADDRNOTAVAIL)

    /// Notes what is worth a warning.
    private final class Troubles {
        private(set) var all: [String] = []

        init(of sources: LoopbackSources...) {
            for sources in sources { sources.onTrouble = { [unowned self] in all.append("\($0)") } }
        }
    }

    // MARK: Connections

    @Test func theAppSeesEachClientByAnAddressOfItsOwn() throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen()
        let route = try Route(to: [app.address], workers: 2, source: .perClient, on: loop)
        let clients = ["172.17.0.9", "203.0.113.5", "2001:db8::1", "::ffff:172.17.0.8"].map { IPAddress($0)! }
        let answers = Answers()
        for (number, client) in (clients + clients).enumerated() {
            answers.ask(route[number / clients.count], number, for: client)
            #expect(try loop.run(until: { answers.count == number + 1 }))
        }
        #expect(app.accept() == 8)
        let expected = (clients + clients).map(LoopbackBlock.address(standingFor:))
        #expect(app.peers.map(\.ipAddress) == expected)
        #expect(answers.connections.map { $0.socket.localAddress } == app.peers)
        #expect(Set(expected).count == 4)
        #expect(route[0].sources.areWorthNaming)
    }

    @Test func otherwiseAllComeFromTheSame() throws {
        let loop = try EventLoop()
        let app = try App()
        app.listen()
        let route = try Route(to: [app.address], on: loop)
        let answers = Answers()
        answers.ask(route[0], 1, for: client)
        #expect(try loop.run(until: { answers.count == 1 }))
        #expect(app.accept() == 1)
        #expect(app.peers.map(\.ipAddress) == [.loopbackV4])
        #expect(!route[0].sources.areWorthNaming)
    }

    @Test func anAppOnIPv6IsReachedWithoutThemAndThatIsSaidOnce() throws {
        let loop = try EventLoop()
        let (v4, v6) = (try App(), try App(on: .ip(.loopbackV6, port: 0)))
        v6.listen()
        let route = try Route(to: [v4.address, v6.address], workers: 2, source: .perClient, on: loop)
        let troubles = Troubles(of: route[0].sources, route[1].sources)
        let answers = Answers()
        for number in 0..<4 { answers.ask(route[number % 2], number, for: client) }
        #expect(try loop.run(until: { answers.count == 4 }))
        #expect(v6.accept() == 4)
        #expect(Set(v6.peers.map(\.ipAddress)) == [.loopbackV6])
        #expect(troubles.all.count == 1)
        #expect(troubles.all.first?.contains("\(v6.address) does not see clients") == true)
    }

    @Test func thoseWhoHaveWaitedComeFromTheirOwnAddressesToo() throws {
        let loop = try EventLoop()
        let app = try App()
        let route = try Route(to: [app.address], source: .perClient, on: loop)
        let answers = Answers()
        let clients = (1...20).map { IPAddress.v4(0xAC11_0000 + $0) }
        for (number, client) in clients.enumerated() { answers.ask(route[0], number, for: client) }
        #expect(try loop.run(until: { route[0].waitingCount == 20 }))
        app.listen()
        #expect(try loop.run(until: { answers.count == 20 }))
        #expect(app.accept() == 20)
        #expect(app.peers.map(\.ipAddress) == clients.map(LoopbackBlock.address(standingFor:)))
    }

    // MARK: Ports that run out

    @Test func sparesStandInForTheKernelsChoiceUntilItHasRested() throws {
        let sources = LoopbackSources(restPeriod: .milliseconds(300))
        let troubles = Troubles(of: sources)
        for _ in 0..<3 {
            #expect(sources.source(for: client, to: app) == .kernelsChoice)
            let start = MonotonicTime.now
            let spare = try #require(
                sources.replacement(of: .kernelsChoice, after: noPortLeft, for: client, to: app))
            #expect(spare.address.map(CIDR("127.0.128.0/17")!.contains) == true)
            #expect(sources.areWorthNaming)
            let next = sources.source(for: nil, to: app)
            // On a busy machine the rest may be over by now.
            if MonotonicTime.now.since(start) < .milliseconds(290) { #expect(next == spare) }
            let asked = MonotonicTime.now
            while MonotonicTime.now.since(asked) < .milliseconds(350) { usleep(5000) }
        }
        #expect(troubles.all.count == 1)
    }

    @Test func aSpareIsUsedUntilItIsUsedUpToo() throws {
        let sources = LoopbackSources()
        let first = try #require(sources.replacement(of: .kernelsChoice, after: noPortLeft, for: nil, to: app))
        let second = try #require(sources.replacement(of: first, after: noPortLeft, for: nil, to: app))
        #expect(second.address != first.address)
        #expect(sources.source(for: nil, to: app).address == second.address)
    }

    @Test func notAllSparesAreTriedForOneConnection() {
        let sources = LoopbackSources()
        var source = LoopbackSources.Source.kernelsChoice
        var tried: Set<IPAddress> = []
        while let next = sources.replacement(of: source, after: noPortLeft, for: nil, to: app), tried.count < 1000 {
            if let address = next.address { tried.insert(address) }
            source = next
        }
        #expect(2...100 ~= tried.count)
    }

    @Test func sparesStandInForOneClientOnly() throws {
        let sources = LoopbackSources(.perClient)
        let troubles = Troubles(of: sources)
        let source = sources.source(for: client, to: app)
        #expect(source == .client(standIn))
        let spare = try #require(sources.replacement(of: source, after: noPortLeft, for: client, to: app))
        #expect(sources.source(for: client, to: app) == spare)
        #expect(sources.source(for: IPAddress("172.17.0.8"), to: app) == .client(IPAddress("127.17.0.8")!))
        #expect(troubles.all.count == 1)
        #expect(troubles.all.first?.contains("127.17.0.9, which stands for the client 172.17.0.9,") == true)
    }

    @Test func theOtherAddressesHaveNoSpares() {
        let sources = LoopbackSources()
        for text in ["::1", "192.0.2.1", "::ffff:127.0.0.1"] {
            let address = SocketAddress.ip(IPAddress(text)!, port: 8000)
            #expect(sources.replacement(of: .kernelsChoice, after: noPortLeft, for: nil, to: address) == nil)
        }
    }

    @Test func otherFailuresAreNoReasonForAnotherSource() {
        for policy in [LoopbackSources.Policy.kernelsChoice, .perClient] {
            let sources = LoopbackSources(policy)
            let source = sources.source(for: client, to: app)
            for code in [ECONNREFUSED, EMFILE, ENETUNREACH] {
                let error = SystemError("connect", code: code)
                #expect(sources.replacement(of: source, after: error, for: client, to: app) == nil)
            }
            #expect(sources.source(for: client, to: app) == source)
        }
    }

    @Test func whereTheSystemRefusesAddressesClientsHaveNone() {
        let sources = LoopbackSources(.perClient)
        let troubles = Troubles(of: sources)
        let refused = SystemError("bind", code: EADDRNOTAVAIL)
        #expect(sources.replacement(of: .client(standIn), after: refused, for: client, to: app) == .kernelsChoice)
        #expect(sources.source(for: client, to: app) == .kernelsChoice)
        #expect(!sources.areWorthNaming)
        #expect(troubles.all.count == 1)
    }
}

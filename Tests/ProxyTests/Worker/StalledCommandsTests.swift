import Access
import Configuration
import EventLoop
import Glibc
import Network
import Testing

@testable import Proxy
@testable import Upstream

@Suite struct StalledCommandsTests {
    private func route(_ number: Int, name: String = "web") -> WorkerCommand {
        var configuration = Route(listen: [], upstream: .localhost(port: 8000))
        configuration.name = name
        return .addRoute(
            number,
            SharedRoute(
                configuration: configuration, door: nil, connections: ConnectionBudget(limit: 1) { _ in },
                basicAuth: nil, passwords: nil, hold: HoldCoordinator { _, _ in }, admission: nil, tls: nil),
            workers: 1)
    }

    private func listener(_ number: Int, on route: Int) throws -> WorkerCommand {
        .listen(
            listener: number, route: route, Handoff(try ListeningSocket(on: .ip(.loopbackV4, port: 0))), turn: nil,
            outlivesUs: false)
    }

    /// What the commands say, shortly.
    private func words(_ commands: [WorkerCommand]) -> [String] {
        commands.map { command in
            switch command {
            case .addRoute(let number, _, workers: _): "route \(number)"
            case .listen(let listener, let route, _, turn: _, outlivesUs: _): "listen \(listener) for \(route)"
            case .listenForDatagrams(let listener, let route, _): "datagrams \(listener) for \(route)"
            case .handOver(let listener, let route): "hand \(listener) to \(route)"
            default: "another"
            }
        }
    }

    private let noMemory = SystemError("event_new", code: ENOMEM)

    @Test func whatNeedsARouteWaitsForIt() throws {
        var stalled = StalledCommands()
        let (first, stranger) = (try listener(1, on: 1), try listener(2, on: 2))
        #expect(stalled.isEmpty && !stalled.holdsUp(first))
        stalled.add(route(1), because: noMemory)
        #expect(stalled.reason == noMemory && stalled.names == [1: "web"] && stalled.routes == [1])
        let needs = [first, WorkerCommand.handOver(listener: 7, toRoute: 1)]
        for command in needs {
            #expect(stalled.holdsUp(command))
            stalled.add(command)
        }
        #expect(
            !stalled.holdsUp(stranger) && !stalled.holdsUp(.drain) && !stalled.holdsUp(.removeRoute(1)))
        #expect(words(stalled.takeAll()) == ["route 1", "listen 1 for 1", "hand 7 to 1"])
        #expect(stalled.isEmpty && stalled.routes.isEmpty)
    }

    @Test func whatIsNotWantedAnyMoreIsForgotten() throws {
        var stalled = StalledCommands()
        stalled.add(route(1), because: noMemory)
        stalled.add(try listener(1, on: 1))
        stalled.add(try listener(2, on: 1))
        stalled.add(route(3), because: noMemory)
        stalled.forget(listener: 1)
        #expect(words(stalled.takeAll()) == ["route 1", "listen 2 for 1", "route 3"])
        stalled.add(route(1), because: noMemory)
        stalled.add(try listener(2, on: 1))
        stalled.add(route(3), because: noMemory)
        stalled.forget(route: 1)
        #expect(words(stalled.takeAll()) == ["route 3"])
    }

    /// The route that it is for may be one that waits, too, and be gone when the other one comes.
    @Test func aListenerThatWaitsPassesToAnotherRoute() throws {
        var stalled = StalledCommands()
        stalled.add(try listener(1, on: 1), because: noMemory)
        stalled.add(route(2), because: noMemory)
        #expect(stalled.handOver(listener: 1, to: 2) && !stalled.handOver(listener: 5, to: 2))
        stalled.forget(route: 1)
        #expect(words(stalled.takeAll()) == ["route 2", "listen 1 for 2"])
    }

    @Test func whatIsForgottenIsClosed() throws {
        var stalled = StalledCommands()
        let socket = try ListeningSocket(on: .ip(.loopbackV4, port: 0))
        let address = socket.localAddress!
        stalled.add(
            .listen(listener: 1, route: 1, Handoff(socket), turn: nil, outlivesUs: false), because: noMemory)
        stalled.forget(listener: 1)
        let visitor = try Socket(toReach: address)
        var result = visitor.connect(to: address)
        while result == .inProgress { result = visitor.connect(to: address) }
        #expect(result == .failed(ECONNREFUSED))
    }
}

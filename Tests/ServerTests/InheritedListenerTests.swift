import Configuration
import EventLoop
import Glibc
@testable import Network
@testable import Server
import Testing

@Suite struct InheritedListenerTests {
    private let sockets: [ListeningSocketBox]
    private let inherited: [InheritedSocket]

    private final class ListeningSocketBox: Sendable {
        let socket: ListeningSocket
        init() throws { socket = try ListeningSocket(on: .ip(.loopbackV4, port: 0)) }
    }

    init() throws {
        sockets = try (0..<3).map { _ in try ListeningSocketBox() }
        inherited = zip(["web", "web", "api"], sockets).map { InheritedSocket(named: $0, number: $1.socket.number) }
    }

    private func wanted(_ listens: [ListenAddress]...) -> [[Int]] {
        var set = ListenerSet(inherited: inherited)
        let routes = listens.map { set.add(Route(listen: $0, upstream: .localhost(port: 1))) }
        let wanted = set.wanted(given: [])
        return routes.map { route in
            wanted.filter { $0.route == route }.map { listener in
                inherited.firstIndex { $0 == listener.inherited } ?? -1
            }
        }
    }

    @Test func goToWhoAsksForThem() throws {
        #expect(wanted([.inherited(name: "web")]) == [[0, 1]])
        #expect(wanted([.inherited(name: nil)]) == [[0, 1, 2]])
        #expect(wanted([.inherited(name: nil)], [.inherited(name: "web")]) == [[2], [0, 1]])
        let second = try #require(inherited[1].address)
        #expect(wanted([.inherited(name: nil)], [.address(second)]) == [[0, 2], [1]])
        #expect(wanted([.address(.ip(.loopbackV4, port: 1))]) == [[-1]])
        #expect(wanted([.inherited(name: "none")]) == [[]])
    }

    @Test func namesWhatIsMissingAndWhatIsLeft() {
        var set = ListenerSet(inherited: inherited)
        let route = set.add(
            Route(listen: [.inherited(name: "none"), .inherited(name: "api")], upstream: .localhost(port: 1)))
        #expect(set.withoutSocket.map(\.route) == [route])
        #expect(set.unused(given: set.wanted(given: [])) == [inherited[0], inherited[1]])
    }

    @Test func watchesForItselfOnly() {
        #expect(ServiceManager.watchdogInterval(["WATCHDOG_USEC": "3000000"], process: 7) == .milliseconds(1500))
        #expect(
            ServiceManager.watchdogInterval(["WATCHDOG_USEC": "10", "WATCHDOG_PID": "7"], process: 7)
                == .microseconds(5))
        for usec in ["0", "-1", "x", ""] {
            #expect(ServiceManager.watchdogInterval(["WATCHDOG_USEC": usec], process: 7) == nil)
        }
        #expect(ServiceManager.watchdogInterval(["WATCHDOG_USEC": "10", "WATCHDOG_PID": "8"], process: 7) == nil)
        #expect(ServiceManager.watchdogInterval([:], process: 7) == nil)
    }
}

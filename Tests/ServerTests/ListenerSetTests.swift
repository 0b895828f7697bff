import Configuration
import Testing

@testable import Network
@testable import Server

@Suite struct ListenerSetTests {
    private let container = IPAddress("172.17.0.2")!
    private let container6 = IPAddress("2001:db8::2")!

    private func interface(_ address: IPAddress, number: UInt32 = 2, isTentative: Bool = false) -> InterfaceAddress {
        InterfaceAddress(address: address, interface: number, isTentative: isTentative)
    }

    /// The routes get the numbers 1, 2 and so on.
    private func set(_ listens: [ListenAddress]...) -> ListenerSet {
        var listeners = ListenerSet()
        for listen in listens { _ = listeners.add(Route(listen: listen, upstream: .localhost(port: 8000))) }
        return listeners
    }

    private func samePort(_ families: [IPAddress.Family] = [.v4, .v6], port: UInt16 = 8000) -> ListenAddress {
        .everyNonLoopback(port: port, families: families)
    }

    @Test func theSamePortRuleWantsWhatTheOutsideCanReach() {
        let interfaces = [
            interface(.loopbackV4, number: 1), interface(.loopbackV6, number: 1), interface(IPAddress("127.0.0.11")!),
            interface(container), interface(container6), interface(IPAddress("fe80::1")!),
            interface(IPAddress("2001:db8::3")!, isTentative: true), interface(IPAddress("169.254.7.7")!),
            interface(IPAddress("fd00::1")!),
        ]
        let wanted = set([samePort()]).wanted(given: interfaces)
        #expect(
            wanted.map(\.address.description) == [
                "172.17.0.2:8000", "[2001:db8::2]:8000", "169.254.7.7:8000", "[fd00::1]:8000",
            ])
        #expect(wanted.allSatisfy { $0.route == 1 })
    }

    @Test(arguments: [
        ([IPAddress.Family.v4], ["172.17.0.2:8000"]), ([.v6], ["[2001:db8::2]:8000"]),
        ([.v4, .v6], ["172.17.0.2:8000", "[2001:db8::2]:8000"]), ([], []),
    ])
    func theSamePortRuleKeepsToItsFamilies(families: [IPAddress.Family], addresses: [String]) {
        let interfaces = [interface(.loopbackV4), interface(container), interface(container6)]
        let wanted = set([samePort(families)]).wanted(given: interfaces)
        #expect(wanted.map(\.address.description) == addresses)
    }

    @Test func anAddressIsWantedOnceARoute() {
        let explicit = ListenAddress.address(.ip(container, port: 8000))
        let interfaces = [interface(container, number: 2), interface(container, number: 3)]
        let listeners = set([samePort(), explicit, explicit], [samePort(port: 9000)])
        #expect(
            listeners.wanted(given: interfaces) == [
                ListenerSet.Listener(route: 1, address: .ip(container, port: 8000)),
                ListenerSet.Listener(route: 2, address: .ip(container, port: 9000)),
            ])
    }

    @Test func explicitAddressesDoNotDependOnTheInterfaces() {
        let addresses: [SocketAddress] = [
            .ip(.loopbackV4, port: 1), .ip(.anyV6, port: 2), .ip(IPAddress("fe80::1")!, port: 3, zone: 2),
            .unix(path: "/run/lb.sock"),
        ]
        let listeners = set(addresses.map { .address($0) })
        #expect(listeners.wanted(given: []).map(\.address) == addresses)
        #expect(listeners.wanted(given: [interface(container)]).map(\.address) == addresses)
    }

    @Test func listenersComeAndGoWithTheirAddresses() throws {
        let fixed = SocketAddress.ip(.anyV4, port: 0)
        let chosen = SocketAddress.ip(.anyV4, port: 40000)
        var listeners = set([.address(fixed), samePort()])
        let before = listeners.wanted(given: [interface(.loopbackV4)])
        #expect(before.map(\.address) == [fixed])
        #expect(listeners.missing(from: before) == before)
        let fixedNumber = listeners.opened(before[0], boundTo: chosen, inodes: [])
        #expect(listeners.missing(from: before).isEmpty)

        // An address comes.
        let during = listeners.wanted(given: [interface(.loopbackV4), interface(container)])
        let new = listeners.missing(from: during)
        #expect(new.map(\.address) == [.ip(container, port: 8000)])
        #expect(listeners.removeUnwanted(during).isEmpty)
        let number = listeners.opened(new[0], boundTo: new[0].address, inodes: [])
        #expect(number != fixedNumber)
        #expect(listeners.count == 2)
        #expect(listeners.boundAddresses(ofRoute: 1) == [chosen, .ip(container, port: 8000)])
        #expect(listeners.boundAddresses(ofRoute: 9).isEmpty)

        // The same address again changes nothing.
        #expect(listeners.missing(from: during).isEmpty)
        #expect(listeners.removeUnwanted(during).isEmpty)

        // It goes, and only its listener with it; the explicit one stays even without any interface.
        let after = listeners.wanted(given: [])
        let gone = listeners.removeUnwanted(after)
        #expect(gone.map(\.number) == [number])
        #expect(gone.map(\.listener) == new)
        #expect(listeners.removeUnwanted(after).isEmpty)
        #expect(listeners.boundAddresses(ofRoute: 1) == [chosen])

        // It comes back, under a number of its own.
        let again = listeners.missing(from: during)
        #expect(again == new)
        #expect(listeners.opened(again[0], boundTo: again[0].address, inodes: []) > number)
    }

    @Test func aTentativeAddressIsWantedOnceItIsUsable() {
        let listeners = set([samePort()])
        #expect(listeners.wanted(given: [interface(container6, isTentative: true)]).isEmpty)
        #expect(listeners.wanted(given: [interface(container6)]).count == 1)
    }

    @Test func severalGoInTheOrderInWhichTheyCame() {
        var listeners = set([samePort()])
        let wanted = listeners.wanted(given: (1...20).map { interface(.v4(0x0A00_0000 + $0)) })
        let numbers = wanted.map { listeners.opened($0, boundTo: $0.address, inodes: []) }
        #expect(listeners.boundAddresses(ofRoute: 1) == wanted.map(\.address))
        let gone = listeners.removeUnwanted([])
        #expect(gone.map(\.number) == numbers)
        #expect(gone.map(\.listener) == wanted)
        #expect(listeners.count == 0)
    }

    @Test func aRoutesListenersGoWithIt() {
        let address = ListenAddress.address(.ip(.anyV4, port: 1))
        var listeners = set([address, samePort()], [samePort(port: 9000)])
        let wanted = listeners.wanted(given: [interface(container)])
        let numbers = wanted.map { listeners.opened($0, boundTo: $0.address, inodes: []) }
        #expect(listeners.remove(route: 1)?.listen == [address, samePort()])
        #expect(listeners.remove(route: 1) == nil)
        let left = listeners.wanted(given: [interface(container)])
        #expect(left == [wanted[2]])
        #expect(listeners.removeUnwanted(left).map(\.number) == Array(numbers[..<2]))
        // Numbers are not used again, so that late news of the old route is nobody else's.
        #expect(listeners.add(Route(listen: [address], upstream: .localhost(port: 1))) == 3)
        #expect(listeners.routes.keys.sorted() == [2, 3])
    }

    @Test func aListenerIsHandedOverToTheRouteThatWantsItsAddress() {
        let shared = ListenAddress.address(.ip(.anyV4, port: 1))
        let own = ListenAddress.address(.ip(.anyV4, port: 2))
        var listeners = set([shared, own])
        let before = listeners.wanted(given: [])
        let numbers = before.map { listeners.opened($0, boundTo: $0.address, inodes: [7]) }
        #expect(listeners.handOver(to: before).isEmpty)

        _ = listeners.remove(route: 1)
        let successor = listeners.add(Route(listen: [shared], upstream: .localhost(port: 1)))
        let after = listeners.wanted(given: [])
        let handedOver = listeners.handOver(to: after)
        #expect(handedOver.map(\.number) == [numbers[0]])
        #expect(handedOver.map(\.route) == [successor])
        #expect(listeners.missing(from: after).isEmpty)
        #expect(listeners.boundAddresses(ofRoute: successor) == [.ip(.anyV4, port: 1)])
        #expect(listeners.removeUnwanted(after).map(\.number) == [numbers[1]])
    }

    @Test func aListenerIsNotHandedOverToAnotherTransport() {
        let any = ListenAddress.address(.ip(.anyV4, port: 53))
        var listeners = set([any])
        let tcp = listeners.wanted(given: []).map { listeners.opened($0, boundTo: $0.address, inodes: []) }
        _ = listeners.remove(route: 1)
        let udp = listeners.add(Route(listen: [any], upstream: .localhost(port: 1), protocol: .udp))
        let wanted = listeners.wanted(given: [])
        #expect(listeners.handOver(to: wanted).isEmpty)
        #expect(listeners.removeUnwanted(wanted).map(\.number) == tcp)
        #expect(listeners.missing(from: wanted).map(\.route) == [udp])
    }

    @Test func twoRoutesCanSwapTheirListeners() {
        let one = ListenAddress.address(.ip(.anyV4, port: 1))
        let two = ListenAddress.address(.ip(.anyV4, port: 2))
        var listeners = set([one], [two])
        let numbers = listeners.wanted(given: []).map { listeners.opened($0, boundTo: $0.address, inodes: []) }
        for route in [1, 2] { _ = listeners.remove(route: route) }
        let routes = [two, one].map { listeners.add(Route(listen: [$0], upstream: .localhost(port: 1))) }
        let handedOver = listeners.handOver(to: listeners.wanted(given: []))
        #expect(handedOver.map(\.route) == routes)
        #expect(handedOver.map(\.number) == numbers.reversed())
    }

    /// With port 0 many listeners look alike; each goes to one route only.
    @Test func aListenerIsHandedOverOnce() {
        let any = ListenAddress.address(.ip(.anyV4, port: 0))
        var listeners = set([any], [any])
        let numbers = listeners.wanted(given: []).map { listeners.opened($0, boundTo: $0.address, inodes: []) }
        for route in [1, 2] { _ = listeners.remove(route: route) }
        let routes = (0..<3).map { _ in listeners.add(Route(listen: [any], upstream: .localhost(port: 1))) }
        let wanted = listeners.wanted(given: [])
        let handedOver = listeners.handOver(to: wanted)
        #expect(handedOver.map(\.number) == numbers)
        #expect(handedOver.map(\.route) == Array(routes[..<2]))
        #expect(listeners.missing(from: wanted).map(\.route) == [routes[2]])
    }

    @Test func theInodesAreThoseOfTheOpenListeners() {
        var listeners = set([samePort()])
        let wanted = listeners.wanted(given: [interface(container), interface(container6)])
        #expect(listeners.inodes.isEmpty)
        _ = listeners.opened(wanted[0], boundTo: wanted[0].address, inodes: [1, 2])
        _ = listeners.opened(wanted[1], boundTo: wanted[1].address, inodes: [3, 4])
        #expect(listeners.inodes == [1, 2, 3, 4])
        _ = listeners.removeUnwanted([wanted[1]])
        #expect(listeners.inodes == [3, 4])
    }
}

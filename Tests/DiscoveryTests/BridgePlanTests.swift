import Discovery
import Network
import Testing

@Suite struct BridgePlanTests {
    private func endpoint(_ address: String, _ port: UInt16, inode: UInt64 = 1) -> ListeningEndpoint {
        ListeningEndpoint(address: IPAddress(address)!, port: port, inode: inode)
    }

    private func plan(
        _ endpoints: [ListeningEndpoint], ours: Set<UInt64> = [], only: Set<UInt16> = [], except: Set<UInt16> = [],
        isWanted: (ListeningEndpoint) -> Bool = { _ in true }
    ) -> BridgePlan {
        BridgePlan(for: endpoints, ours: ours, ports: .init(only: only, except: except), isWanted: isWanted)
    }

    @Test func loopbackListenersAreBridgedPortByPort() {
        let plan = plan([endpoint("127.0.0.1", 8000), endpoint("::1", 8000), endpoint("127.0.0.5", 8001)])
        #expect(plan.bridges == [8000: [.loopbackV4, .loopbackV6], 8001: [IPAddress("127.0.0.5")!]])
        #expect(plan.obstacles.isEmpty)
    }

    @Test(arguments: ["0.0.0.0", "::", "172.17.0.2", "fd00::2", "fe80::1"])
    func whatTheOutsideReachesStandsInTheWay(address: String) {
        let plan = plan([endpoint("127.0.0.1", 8000), endpoint(address, 8000, inode: 2), endpoint(address, 8001)])
        #expect(plan.bridges.isEmpty)
        #expect(plan.obstacles == [8000: .servedAlready])
    }

    @Test func ourOwnSocketsDoNotCount() {
        let endpoints = [
            endpoint("127.0.0.1", 8000), endpoint("172.17.0.2", 8000, inode: 7), endpoint("127.0.0.1", 9000, inode: 8),
        ]
        #expect(plan(endpoints, ours: [7, 8]).bridges == [8000: [.loopbackV4]])
        #expect(plan(endpoints, ours: [8]).obstacles == [8000: .servedAlready])
    }

    @Test(arguments: ["127.0.0.11", "127.0.0.53", "127.0.0.54"])
    func resolversAreLeftAlone(address: String) {
        #expect(plan([endpoint(address, 53)], only: [53]) == plan([]))
    }

    @Test(arguments: BridgePlan.debuggerPorts.keys.sorted())
    func debuggersMustBeNamed(port: UInt16) throws {
        let name = try #require(BridgePlan.debuggerPorts[port])
        #expect(plan([endpoint("127.0.0.1", port)]).obstacles == [port: .debugger(name)])
        #expect(plan([endpoint("127.0.0.1", port)]).bridges.isEmpty)
        #expect(plan([endpoint("127.0.0.1", port)], only: [port]).bridges.keys.sorted() == [port])
        #expect(plan([endpoint("127.0.0.1", port)], only: [1]) == plan([]))
    }

    @Test func portsAreChosen() {
        let endpoints = (1...4).map { endpoint("127.0.0.1", $0) }
        #expect(plan(endpoints, only: [1, 2]).bridges.keys.sorted() == [1, 2])
        #expect(plan(endpoints, except: [1, 2]).bridges.keys.sorted() == [3, 4])
        #expect(plan(endpoints, only: [1, 2], except: [2]).bridges.keys.sorted() == [1])
    }

    @Test func nothingIsSaidOfOthersListeners() {
        let endpoints = [endpoint("127.0.0.1", 9229), endpoint("127.0.0.1", 8000), endpoint("0.0.0.0", 8000, inode: 2)]
        #expect(plan(endpoints, isWanted: { _ in false }) == plan([]))
    }
}

import Network
import Testing

@testable import Discovery

@Suite struct BridgePlanTests {
    private func endpoint(_ address: String, _ port: UInt16, inode: UInt64 = 1) -> ListeningEndpoint {
        ListeningEndpoint(address: IPAddress(address)!, port: port, inode: inode)
    }

    private func plan(
        _ endpoints: [ListeningEndpoint], ours: Set<UInt64> = [], only: Set<UInt16> = [], except: Set<UInt16> = [],
        verdict: (ListeningEndpoint) -> ListenerReview.Verdict? = { _ in .init(isWanted: true, obstacle: nil) }
    ) -> BridgePlan {
        BridgePlan(for: endpoints, ours: ours, ports: .init(only: only, except: except), verdict: verdict)
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

    @Test(arguments: [
        BridgePlan.Obstacle.privateService(.inspector, .option("--inspect")), .chosenByKernel, .hiddenOwner,
    ])
    func whatIsNotMeantToBeReachedMustBeNamed(obstacle: BridgePlan.Obstacle) {
        let endpoints = [endpoint("127.0.0.1", 9333)]
        let verdict = { (_: ListeningEndpoint) in ListenerReview.Verdict(isWanted: true, obstacle: obstacle) }
        #expect(plan(endpoints, verdict: verdict).obstacles == [9333: obstacle])
        #expect(plan(endpoints, verdict: verdict).bridges.isEmpty)
        #expect(plan(endpoints, only: [9333], verdict: verdict).bridges.keys.sorted() == [9333])
        #expect(plan(endpoints, only: [1], verdict: verdict) == plan([]))
        #expect(obstacle.remedy(at: 9333)?.contains("--only 9333") == true)
    }

    /// A client of a shared address gets any of those who share it.
    @Test func anAppBesideADebugger() {
        let endpoints = [
            endpoint("127.0.0.1", 8000), endpoint("127.0.0.1", 8000, inode: 2), endpoint("::1", 8000, inode: 3),
        ]
        let verdict = { (endpoint: ListeningEndpoint) in
            ListenerReview.Verdict(
                isWanted: true, obstacle: endpoint.inode == 2 ? .privateService(.delve, .usualPort) : nil)
        }
        #expect(plan(endpoints, verdict: verdict).bridges == [8000: [.loopbackV6]])
        #expect(plan(Array(endpoints.prefix(2)), verdict: verdict).bridges.isEmpty)
    }

    @Test func whatIsNotDecidedIsNotBridged() {
        #expect(plan([endpoint("127.0.0.1", 8000)], verdict: { _ in nil }) == plan([]))
    }

    @Test func portsAreChosen() {
        let endpoints = (1...4).map { endpoint("127.0.0.1", $0) }
        #expect(plan(endpoints, only: [1, 2]).bridges.keys.sorted() == [1, 2])
        #expect(plan(endpoints, except: [1, 2]).bridges.keys.sorted() == [3, 4])
        #expect(plan(endpoints, only: [1, 2], except: [2]).bridges.keys.sorted() == [1])
    }

    @Test func nothingIsSaidOfOthersListeners() {
        let endpoints = [endpoint("127.0.0.1", 9229), endpoint("127.0.0.1", 8000), endpoint("0.0.0.0", 8000, inode: 2)]
        #expect(plan(endpoints, verdict: { _ in .init(isWanted: false, obstacle: nil) }) == plan([]))
    }
}

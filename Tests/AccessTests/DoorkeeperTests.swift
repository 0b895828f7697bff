import Configuration
import EventLoop
import Network
import Testing

@testable import Access

/// Lists of addresses, and the limits of each client.
@Suite struct DoorkeeperTests {
    private static func address(_ text: String) -> SocketAddress { .ip(IPAddress(text)!, port: 1) }

    private static func doorkeeper(
        _ limits: ClientLimits, deny: [CIDR] = [], inPlaceOf predecessor: Doorkeeper? = nil
    ) throws -> Doorkeeper {
        let settings = RouteSettings {
            $0.perClient = limits
            $0.deny = deny
        }
        let route = Route(listen: [], upstream: .localhost(port: 1), settings: settings)
        return try #require(Doorkeeper(for: route, inPlaceOf: predecessor))
    }

    private static func refusal(
        _ door: Doorkeeper, _ text: String, at now: MonotonicTime = .now
    ) -> ClientRefusal? {
        do throws(ClientRefusal) {
            _ = try door.admit(address(text), at: now)
            return nil
        } catch {
            return error
        }
    }

    @Test func isNotThereWhereEverybodyMayComeIn() {
        #expect(Doorkeeper(for: Route(listen: [], upstream: .localhost(port: 1)), inPlaceOf: nil) == nil)
    }

    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false),
        ("192.0.2.1", "::ffff:192.0.2.1", true), ("2001:db8::1", "2001:db8::ffff:0:0:1", true),
        ("2001:db8::1", "2001:db8:0:1::1", false), ("::1", "0.0.0.1", false),
    ])
    func knowsWhoIsOneClient(first: String, second: String, isSame: Bool) throws {
        #expect((ClientKey(try #require(IPAddress(first))) == ClientKey(try #require(IPAddress(second)))) == isSame)
    }

    @Test func boundsAClientsConnections() throws {
        let door = try Self.doorkeeper(ClientLimits { $0.maxConnections = 2 })
        let now = MonotonicTime.now
        var places = [try door.admit(Self.address("192.0.2.1"), at: now)]
        places.append(try door.admit(Self.address("::ffff:192.0.2.1"), at: now))
        #expect(places.allSatisfy { $0 != nil })
        #expect(Self.refusal(door, "192.0.2.1") == .tooManyConnections)
        #expect(Self.refusal(door, "192.0.2.2") == nil)
        // A reload goes on counting, by its own limit.
        let successor = try Self.doorkeeper(ClientLimits { $0.maxConnections = 3 }, inPlaceOf: door)
        places.append(try successor.admit(Self.address("192.0.2.1"), at: now))
        #expect(Self.refusal(successor, "192.0.2.1") == .tooManyConnections)
        places.removeLast(2)
        #expect(Self.refusal(door, "192.0.2.1") == nil)
        places = []
        #expect(Self.refusal(door, "192.0.2.1") == nil)
    }

    @Test func clientsOnAUnixSocketAreNotCounted() throws {
        let door = try Self.doorkeeper(
            ClientLimits {
                $0.maxConnections = 1
                $0.rate = Rate(1, per: .hour)
            })
        for _ in 0..<3 { #expect(try door.admit(.unix(path: ""), at: .now) == nil) }
    }

    @Test func asksTheListFirst() throws {
        let door = try Self.doorkeeper(ClientLimits { $0.rate = Rate(1, per: .hour) }, deny: [CIDR("10.0.0.0/8")!])
        for _ in 0..<3 { #expect(Self.refusal(door, "10.0.0.1") == .denied) }
        #expect(Self.refusal(door, "192.0.2.1") == nil)
        #expect(Self.refusal(door, "192.0.2.1") == .tooFast)
    }

    /// Ten at once, then one every 100 ms, and never more than ten saved up.
    @Test func boundsHowFastAClientComes() throws {
        let door = try Self.doorkeeper(ClientLimits { $0.rate = Rate(10, per: .second) })
        let start = MonotonicTime.now
        func admitted(of count: Int, after milliseconds: Int) -> Int {
            let now = start.advanced(by: .milliseconds(milliseconds))
            return (0..<count).count { _ in Self.refusal(door, "192.0.2.1", at: now) == nil }
        }
        #expect(admitted(of: 15, after: 0) == 10)
        #expect(admitted(of: 5, after: 99) == 0)
        #expect(admitted(of: 5, after: 100) == 1)
        #expect(admitted(of: 5, after: 400) == 3)
        #expect(admitted(of: 50, after: 60_000) == 10)
    }

    @Test func aBurstIsWhatIsSaid() throws {
        let door = try Self.doorkeeper(
            ClientLimits {
                $0.rate = Rate(60, per: .minute)
                $0.burst = 3
            })
        let start = MonotonicTime.now
        func admitted(_ seconds: Int) -> Int {
            (0..<10).count { _ in
                Self.refusal(door, "2001:db8::1", at: start.advanced(by: .seconds(seconds))) == nil
            }
        }
        #expect([0, 0, 1, 3, 3600].map(admitted) == [3, 0, 1, 2, 3])
    }

    /// Workers take and give back at the same time, and in the end nobody is there.
    @Test(.timeLimit(.minutes(1))) func countsForAllThreads() async {
        let connections = ClientConnections()
        let most = await withTaskGroup(of: Int.self) { group in
            for number in 0..<8 {
                group.addTask {
                    var most = 0
                    for round in 0..<2000 {
                        var places: [ClientPermit] = []
                        while let place = connections.take(for: ClientKey(.v4(UInt32(round % 3))), limit: 20) {
                            places.append(place)
                        }
                        most = max(most, places.count)
                        if number == 0 { places.reverse() }
                    }
                    return most
                }
            }
            return await group.reduce(0, max)
        }
        #expect((1...20).contains(most))
        #expect(connections.clientCount == 0)
    }
}

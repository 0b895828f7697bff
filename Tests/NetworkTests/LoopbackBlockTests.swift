import Network
import Testing

@Suite struct LoopbackBlockTests {
    /// Never to be changed: apps may have kept what they have seen.
    @Test(arguments: [
        ("10.1.2.3", "127.1.2.3"), ("10.244.0.17", "127.244.0.17"), ("172.17.0.1", "127.17.0.1"),
        ("172.31.255.255", "127.31.255.255"), ("192.168.178.20", "127.168.178.20"), ("127.5.6.7", "127.5.6.7"),
        ("::ffff:172.17.0.1", "127.17.0.1"),
    ])
    func privateClientsCanBeRead(client: String, source: String) throws {
        #expect(LoopbackBlock.address(standingFor: try #require(IPAddress(client))).description == source)
    }

    @Test(arguments: [
        ("198.51.100.7", "127.241.12.7"), ("172.32.0.1", "127.74.63.45"), ("10.0.0.11", "127.76.25.120"),
        ("127.0.0.1", "127.91.214.189"), ("::1", "127.66.34.1"), ("10.255.255.255", "127.97.197.90"),
        ("2001:db8::1", "127.79.26.87"), ("2001:db8::2", "127.22.210.29"), ("fe80::1", "127.31.147.25"),
    ])
    func othersAreHashed(client: String, source: String) throws {
        #expect(LoopbackBlock.address(standingFor: try #require(IPAddress(client))).description == source)
    }

    @Test func aMappedAddressIsTheIPv4AddressThatItMeans() throws {
        #expect(
            LoopbackBlock.address(standingFor: try #require(IPAddress("::ffff:198.51.100.7")))
                == LoopbackBlock.address(standingFor: try #require(IPAddress("198.51.100.7"))))
    }

    @Test func noClientGetsWhatIsUsedOtherwise() {
        // What private addresses with a reserved result, and any others, come to.
        let clients =
            (0..<0x1_0000).map { IPAddress.v4(0x0A00_0000 + $0) } + [.v4(0x0AFF_FFFF), .v4(0x7F00_0001), .loopbackV6]
            + (0..<100_000).map { IPAddress.v6(0x2001_0DB8_0000_0000, $0) }
            + (0..<100_000).map { IPAddress.v4(0xCB00_7100 &+ $0 &* 0x9E37_79B1) }
        for client in clients {
            guard case .v4(let bits) = LoopbackBlock.address(standingFor: client) else {
                Issue.record("\(client) comes from an IPv6 address")
                return
            }
            if !(0x7F01_0000..<0x7FFF_FFFF ~= bits) { Issue.record("\(client) comes from \(IPAddress.v4(bits))") }
        }
    }

    @Test(arguments: [
        // A network of private addresses, none of which share.
        (0..<0x1_0000).map { IPAddress.v4(0xAC11_0000 + $0) },
        // 30,000 neighbours each: of so many, about 27 share where chance decides.
        (0..<30_000).map { IPAddress.v4(0xCB00_0000 + $0) }, (0..<30_000).map { IPAddress.v6(0x2001_0DB8 << 32, $0) },
        (0..<30_000).map { IPAddress.v6(0x2001_0DB8 << 32 + $0 << 8, 1) },
    ])
    func fewClientsShareAnAddress(clients: [IPAddress]) {
        let addresses = Set(clients.map(LoopbackBlock.address(standingFor:)))
        #expect(addresses.count >= clients.count - (clients.count > 30_000 ? 0 : 60))
    }

    @Test func sparesAreApartAndBeginAnew() {
        let spares = Set((0..<LoopbackBlock.spareCount).map(LoopbackBlock.spare))
        #expect(spares.count == LoopbackBlock.spareCount)
        #expect(spares.allSatisfy { CIDR("127.0.128.0/17")!.contains($0) })
        #expect(LoopbackBlock.spare(LoopbackBlock.spareCount) == LoopbackBlock.spare(0))
    }
}

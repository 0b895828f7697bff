import Network
import Testing

/// What the list says is what looking at every block says.
@Suite struct AccessListTests {
    private static func blocks(_ text: String) -> [CIDR] { text.split(separator: " ").map { CIDR(String($0))! } }

    @Test(arguments: [
        // Nothing allowed by name: everybody but who is denied.
        ("", "", "10.0.0.1", true), ("", "10.0.0.0/8", "10.0.0.1", false), ("", "10.0.0.0/8", "11.0.0.1", true),
        ("", "10.0.0.0/8", "::1", true), ("", "0.0.0.0/0", "2001:db8::1", true),
        // Something allowed: nobody else.
        ("10.0.0.0/8", "", "10.255.255.255", true), ("10.0.0.0/8", "", "9.255.255.255", false),
        ("10.0.0.0/8", "", "11.0.0.0", false), ("10.0.0.0/8", "", "fd00::1", false),
        ("fd00::/8", "", "10.0.0.1", false),
        // The longest prefix decides, whichever list it is in.
        ("10.0.0.0/8 10.1.2.0/24", "10.1.0.0/16", "10.2.0.1", true),
        ("10.0.0.0/8 10.1.2.0/24", "10.1.0.0/16", "10.1.1.255", false),
        ("10.0.0.0/8 10.1.2.0/24", "10.1.0.0/16", "10.1.2.0", true),
        ("10.0.0.0/8 10.1.2.0/24", "10.1.0.0/16", "10.1.2.255", true),
        ("10.0.0.0/8 10.1.2.0/24", "10.1.0.0/16", "10.1.3.0", false),
        ("10.0.0.0/8 10.1.2.0/24", "10.1.0.0/16", "10.2.0.0", true), ("192.0.2.7", "0.0.0.0/0", "192.0.2.7", true),
        ("192.0.2.7", "0.0.0.0/0", "192.0.2.8", false), ("0.0.0.0/0 ::/0", "255.255.255.255", "255.255.255.255", false),
        // A denial wins against the same block.
        ("10.0.0.0/8", "10.0.0.0/8", "10.0.0.1", false), ("0.0.0.0/0", "0.0.0.0/0", "1.2.3.4", false),
        // IPv4-mapped IPv6 is IPv4.
        ("10.0.0.0/8", "", "::ffff:10.0.0.1", true), ("::/0", "", "::ffff:10.0.0.1", false),
        ("", "10.0.0.0/8", "::ffff:10.0.0.1", false), ("", "::/0", "::ffff:10.0.0.1", true),
        // The ends of the address space.
        ("::/1", "", "7fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true), ("::/1", "", "8000::", false),
        ("ffff::/16", "", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true),
        ("2001:db8::/65", "", "2001:db8::8000:0:0:0", false), ("2001:db8::1", "2001:db8::/32", "2001:db8::1", true),
    ])
    func decides(allow: String, deny: String, address: String, isAdmitted: Bool) throws {
        let list = AccessList(allow: Self.blocks(allow), deny: Self.blocks(deny))
        #expect(list.admits(try #require(IPAddress(address))) == isAdmitted)
        #expect(list.admitsEverybody == (allow.isEmpty && deny.isEmpty))
    }

    @Test func clientsWithoutAnAddressMayComeIn() throws {
        let list = AccessList(allow: [CIDR("192.0.2.1")!], deny: [CIDR("::/0")!])
        #expect(list.admits(SocketAddress.unix(path: "")))
        #expect(list.admits(SocketAddress.ip(IPAddress("192.0.2.1")!, port: 7)))
        #expect(!list.admits(SocketAddress.ip(IPAddress("fe80::1")!, port: 7, zone: 2)))
    }

    /// Every block is looked at, and the longest that holds the address decides.
    private static func reference(_ list: AccessList, _ address: IPAddress) -> Bool {
        let address = address.unmapped
        func longest(_ blocks: [CIDR]) -> Int { blocks.filter { $0.contains(address) }.map(\.prefixLength).max() ?? -1 }
        let (allowed, denied) = (longest(list.allow), longest(list.deny))
        return allowed == denied ? allowed < 0 && list.allow.isEmpty : allowed > denied
    }

    /// Addresses and blocks from a small corner, so that they meet, and from everywhere.
    private static func address(_ random: inout SystemRandomNumberGenerator) -> IPAddress {
        let bits = UInt64.random(in: 0...UInt64.max, using: &random)
        return switch Int.random(in: 0..<6, using: &random) {
        case 0: .v4(UInt32(truncatingIfNeeded: bits))
        case 1: .v4(0x0A00_0000 | UInt32(bits & 0x3F))
        case 2: .v4(UInt32.max - UInt32(bits & 0x1F))
        case 3: .v6(0x2001_0DB8_0000_0000 | bits & 7, bits & 0xE000_0000_0000_0007)
        case 4: .v6(0, 0xFFFF_0A00_0000 | bits & 0x3F)
        default: .v6(UInt64.max, UInt64.max - (bits & 0x1F))
        }
    }

    @Test func agreesWithLookingAtEveryBlock() {
        var random = SystemRandomNumberGenerator()
        func blocks(_ most: Int) -> [CIDR] {
            (0..<Int.random(in: 0...most, using: &random)).map { _ in
                let address = Self.address(&random).unmapped
                let width = address.family == .v4 ? 32 : 128
                // Mostly long prefixes, and at times the whole space.
                let length = Bool.random(using: &random) ? Int.random(in: 0...width) : width - Int.random(in: 0...6)
                return CIDR(containing: address, prefixLength: length)
            }
        }
        for round in 0..<300 {
            let list = AccessList(allow: blocks(round % 20), deny: blocks(round % 12))
            // Where answers change: beside the ends of the blocks.
            var addresses = (0..<40).map { _ in Self.address(&random) }
            for case .v4(let bits) in (list.allow + list.deny).map(\.base) {
                addresses += [.v4(bits), .v4(bits &- 1), .v4(bits &+ 1)]
            }
            for case .v6(let high, let low) in (list.allow + list.deny).map(\.base) {
                addresses += [.v6(high, low), .v6(low == 0 ? high &- 1 : high, low &- 1)]
            }
            for address in addresses where list.admits(address) != Self.reference(list, address) {
                Issue.record("\(address): allow \(list.allow), deny \(list.deny)")
                return
            }
        }
    }

    /// A list of a size that feeds of bad addresses have.
    @Test func takesManyBlocks() {
        var random = SystemRandomNumberGenerator()
        let blocks = (0..<20_000).map { _ in
            CIDR(containing: .v4(.random(in: 0...UInt32.max, using: &random)), prefixLength: .random(in: 16...32))
        }
        let list = AccessList(deny: blocks)
        for block in blocks.prefix(2000) { #expect(!list.admits(block.base)) }
        let admitted = (0..<200).filter { _ in
            let address = IPAddress.v4(.random(in: 0...UInt32.max, using: &random))
            let isAdmitted = list.admits(address)
            #expect(isAdmitted == !blocks.contains { $0.contains(address) })
            return isAdmitted
        }
        #expect(!admitted.isEmpty)
    }
}

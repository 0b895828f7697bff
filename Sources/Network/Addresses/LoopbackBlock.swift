/// The division of 127.0.0.0/8: any of its addresses may be the source of a connection to this machine's loopback, so
/// there are some for every client.
public enum LoopbackBlock {
    /// 127.0.0.0/16 is no client's: 127.0.0.1, Docker's 127.0.0.11, systemd's 127.0.0.53 and Debian's 127.0.1.1 are in
    /// it. The block's last address is for broadcasts.
    private static let clients: Range<UInt32> = 0x7F01_0000..<0x7FFF_FFFF
    /// 127.0.128.0/17.
    private static let spares: Range<UInt32> = 0x7F00_8000..<0x7F01_0000

    /// The number of addresses that are neither a client's nor known for anything else.
    public static let spareCount = spares.count

    /// Such an address; numbers from ``spareCount`` on begin anew.
    public static func spare(_ number: Int) -> IPAddress {
        .v4(spares.lowerBound + UInt32(number % spareCount))
    }

    /// The address that stands for a client, always the same one: for a private or loopback IPv4 address the one with the
    /// same last three bytes, so that people can read it (172.17.0.5 is 127.17.0.5), for all others a hash.
    ///
    /// Two clients can have the same one: there are fewer of these than clients.
    public static func address(standingFor client: IPAddress) -> IPAddress {
        let client = client.unmapped
        if case .v4(let bits) = client, isPrivate(bits) {
            let readable = 0x7F00_0000 | bits & 0x00FF_FFFF
            if clients.contains(readable) { return .v4(readable) }
        }
        return .v4(clients.lowerBound + UInt32(hash(client) % UInt64(clients.count)))
    }

    /// 10.0.0.0/8, 172.16.0.0/12 and 192.168.0.0/16 (RFC 1918), and 127.0.0.0/8.
    private static func isPrivate(_ bits: UInt32) -> Bool {
        bits >> 24 == 10 || bits >> 20 == 0xAC1 || bits >> 16 == 0xC0A8 || bits >> 24 == 127
    }

    /// Without a key, and never to be changed: an app may have kept what it has seen.
    private static func hash(_ address: IPAddress) -> UInt64 {
        switch address {
        case .v4(let bits): mixed(UInt64(bits))
        case .v6(let high, let low): mixed(mixed(high) ^ low)
        }
    }

    /// Makes every bit of the result depend on every bit of the value (the finalizer of SplitMix64, Steele et al. 2014).
    private static func mixed(_ value: UInt64) -> UInt64 {
        var value = value &+ 0x9E37_79B9_7F4A_7C15
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}

internal import Network

/// The identity of a client: an IPv4 address, or the /64 of an IPv6 address, since one host may use all of a /64.
struct ClientKey: Hashable, Sendable {
    let bits: UInt64

    init(bits: UInt64) {
        self.bits = bits
    }

    init(_ address: IPAddress) {
        switch address.unmapped {
        // A block of IPv6 (ff::/32) that is assigned to nobody (RFC 4291 section 2.4), so that the two never meet.
        case .v4(let bits): self.bits = 0x00FF_0000 << 32 | UInt64(bits)
        case .v6(let high, _): bits = high
        }
    }

    /// A hash that nobody outside can foresee: Swift's hash has a key that is random in each process (SipHash), so that strangers
    /// cannot choose addresses that meet in one slot.
    var hash: UInt64 { UInt64(bitPattern: Int64(hashValue)) }
}

/// A block of addresses with a common prefix, as in `10.0.0.0/8` (RFC 4632, RFC 4291 section 2.3).
public struct CIDR: Hashable, Sendable {
    /// The block's first address.
    public let base: IPAddress
    /// The number of leading bits that all of its addresses share: 0 to 32, or to 128 for IPv6.
    public let prefixLength: Int

    /// - Returns: nil when the length does not fit the family, or when bits behind the prefix are set.
    public init?(base: IPAddress, prefixLength: Int) {
        switch base {
        case .v4(let bits):
            guard 0...32 ~= prefixLength, bits << UInt32(prefixLength) == 0 else { return nil }
        case .v6(let high, let low):
            guard 0...128 ~= prefixLength else { return nil }
            guard high << UInt64(min(prefixLength, 64)) == 0, low << UInt64(max(prefixLength - 64, 0)) == 0
            else { return nil }
        }
        self.base = base
        self.prefixLength = prefixLength
    }

    /// The block of an address: what it has behind the prefix is left out.
    /// - Parameter prefixLength: 0 to 32, or to 128 for IPv6.
    public init(containing address: IPAddress, prefixLength: Int) {
        switch address {
        // Smart shifts: one as wide as the type or wider gives 0.
        case .v4(let bits): base = .v4(bits & ~(UInt32.max >> UInt32(prefixLength)))
        case .v6(let high, let low):
            base = .v6(
                high & ~(UInt64.max >> UInt64(min(prefixLength, 64))),
                low & ~(UInt64.max >> UInt64(max(prefixLength - 64, 0))))
        }
        self.prefixLength = prefixLength
    }

    /// Whether the address belongs to the block. An address of the other family never does.
    public func contains(_ address: IPAddress) -> Bool {
        switch (base, address) {
        case (.v4(let base), .v4(let bits)):
            // Smart shifts: one as wide as the type or wider gives 0, so /0 matches everything.
            (base ^ bits) >> UInt32(32 - prefixLength) == 0
        case (.v6(let baseHigh, let baseLow), .v6(let high, let low)):
            (baseHigh ^ high) >> UInt64(64 - min(prefixLength, 64)) == 0
                && (baseLow ^ low) >> UInt64(64 - max(prefixLength - 64, 0)) == 0
        default: false
        }
    }
}

extension CIDR: LosslessStringConvertible {
    /// Reads `10.0.0.0/8` or `2001:db8::/32`; a bare address is a block of one.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let base = parts.first.flatMap({ IPAddress(String($0)) }) else { return nil }
        let width = base.family == .v4 ? 32 : 128
        guard parts.count == 2 else {
            self.init(base: base, prefixLength: width)
            return
        }
        guard parts[1].allSatisfy({ $0.isASCII && $0.isNumber }), let length = Int(parts[1]) else { return nil }
        self.init(base: base, prefixLength: length)
    }

    public var description: String { "\(base)/\(prefixLength)" }
}

/// The checksum of version 2 (section 2.2.3; RFC 9260 appendix A).
enum CRC32C {
    /// Castagnoli's polynomial, the lowest bit first.
    private static let polynomial: UInt32 = 0x82F6_3B78

    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 0 ? value >> 1 : value >> 1 ^ polynomial }
    }

    /// - Parameter blank: where the checksum itself stands, which counts as zeros.
    static func checksum(of bytes: Span<UInt8>, without blank: Range<Int>) -> UInt32 {
        var value = ~UInt32(0)
        for index in bytes.indices {
            let byte = blank.contains(index) ? 0 : bytes[index]
            value = value >> 8 ^ table[Int(UInt8(truncatingIfNeeded: value) ^ byte)]
        }
        return ~value
    }
}

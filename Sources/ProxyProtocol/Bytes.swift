internal import Network

extension Span<UInt8> {
    /// A number in network byte order.
    /// - Parameter count: how many bytes it has, at most 8.
    func number(at place: Int, bytes count: Int) -> UInt64 {
        var number: UInt64 = 0
        for index in place..<place + count { number = number << 8 | UInt64(self[index]) }
        return number
    }

    func array(_ range: Range<Int>) -> [UInt8] {
        var array: [UInt8] = []
        array.reserveCapacity(range.count)
        for index in range { array.append(self[index]) }
        return array
    }
}

extension [UInt8] {
    /// Appends a number in network byte order.
    mutating func append<Number: FixedWidthInteger & UnsignedInteger>(number: Number) {
        for shift in stride(from: Number.bitWidth - 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: number >> Number(shift)))
        }
    }
}

extension IPAddress {
    private static let mappedPrefix: UInt64 = 0xFFFF_0000_0000

    /// The halves of the IPv6 address, or of the IPv4 address mapped into IPv6.
    var inV6: (high: UInt64, low: UInt64) {
        switch self {
        case .v4(let bits): (0, Self.mappedPrefix | UInt64(bits))
        case .v6(let high, let low): (high, low)
        }
    }
}

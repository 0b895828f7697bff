/// A host and an optional port, as in a Host field or a URL (RFC 9110 section 7.2), as ranges of the bytes.
struct Authority {
    /// With its brackets if it is an IPv6 address.
    let host: Range<Int>
    /// The digits; nil without a colon, and maybe empty with one.
    let port: Range<Int>?

    /// Nil when it is none; user information is not allowed.
    init?(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        guard let first = range.first else { return nil }
        var index = first
        if bytes[first] == 0x5B {  // [
            guard let close = bytes.firstIndex(of: 0x5D, in: range), close > first + 2 else { return nil }
            for place in first + 1..<close {
                let byte = bytes[place]
                guard byte.hexadecimal != nil || byte == .colon || byte == 0x2E else { return nil }
            }
            index = close + 1
        } else {
            while index < range.upperBound {
                let byte = bytes[index]
                if byte == 0x25 {  // %
                    guard index + 2 < range.upperBound, bytes[index + 1].hexadecimal != nil,
                        bytes[index + 2].hexadecimal != nil
                    else { return nil }
                    index += 3
                } else if ByteSet.hostName.contains(byte) {
                    index += 1
                } else {
                    break
                }
            }
        }
        guard index > first else { return nil }
        host = first..<index
        guard index < range.upperBound else {
            port = nil
            return
        }
        guard bytes[index] == .colon, Self.portNumber(bytes, index + 1..<range.upperBound) != nil else { return nil }
        port = index + 1..<range.upperBound
    }

    /// The port's number; the scheme's where none is given.
    func port(_ bytes: Span<UInt8>, default scheme: Scheme) -> Int {
        guard let port, !port.isEmpty else { return scheme.defaultPort }
        return Self.portNumber(bytes, port) ?? scheme.defaultPort
    }

    /// Nil when there is anything but digits, or the number is no port; 0 when there is nothing.
    private static func portNumber(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
        var number = 0
        for index in range {
            guard bytes[index].isDigit else { return nil }
            number = number * 10 + Int(bytes[index] - .zero)
            guard number <= 65_535 else { return nil }
        }
        return number
    }
}

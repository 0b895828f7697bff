internal import Network

/// Version 1 (section 2.1): one line of text.
extension ProxyHeader {
    /// What the longest line has, its end included.
    public static let longestText = 107

    enum Text {
        static let start = Array("PROXY ".utf8)
        static let v4 = Array("TCP4".utf8)
        static let v6 = Array("TCP6".utf8)
        static let unknown = Array("UNKNOWN".utf8)
        static let (space, carriageReturn, lineFeed): (UInt8, UInt8, UInt8) = (0x20, 0x0D, 0x0A)
    }

    static func parseText(_ bytes: Span<UInt8>) throws(Fault) -> Progress {
        try expect(Text.start, in: bytes)
        guard let end = try endOfLine(bytes) else { return .incomplete }
        var fields: [[UInt8]] = [[]]
        for index in Text.start.count..<end {
            if bytes[index] == Text.space { fields.append([]) } else { fields[fields.count - 1].append(bytes[index]) }
        }
        return .complete(ProxyHeader(endpoints: try endpoints(fields)), length: end + 2)
    }

    /// Where the line's CR LF is; nil where it has not come yet.
    private static func endOfLine(_ bytes: Span<UInt8>) throws(Fault) -> Int? {
        for index in 0..<min(bytes.count, longestText) {
            switch bytes[index] {
            case Text.lineFeed: throw .badLineEnd
            case Text.carriageReturn:
                // Too late for the line feed.
                guard index + 1 < longestText else { throw .tooLong }
                guard index + 1 < bytes.count else { return nil }
                guard bytes[index + 1] == Text.lineFeed else { throw .badLineEnd }
                return index
            default: break
            }
        }
        guard bytes.count < longestText else { throw .tooLong }
        return nil
    }

    private static func endpoints(_ fields: [[UInt8]]) throws(Fault) -> Endpoints? {
        let family: IPAddress.Family
        switch fields[0] {
        case Text.v4: family = .v4
        case Text.v6: family = .v6
        // Whatever stands behind it is to be ignored.
        case Text.unknown: return nil
        default: throw .unknownProtocol
        }
        guard fields.count == 5 else { throw .badFields }
        return Endpoints(
            source: .ip(try address(fields[1], family), port: try port(fields[3])),
            destination: .ip(try address(fields[2], family), port: try port(fields[4])))
    }

    private static func address(_ text: [UInt8], _ family: IPAddress.Family) throws(Fault) -> IPAddress {
        // The system's function would stop at a zero.
        guard text.allSatisfy(isAddressByte), let address = IPAddress(String(decoding: text, as: UTF8.self)),
            address.family == family
        else { throw .badAddress }
        return address.unmapped
    }

    private static func isAddressByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: ":"), UInt8(ascii: "."), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }

    private static func port(_ text: [UInt8]) throws(Fault) -> UInt16 {
        let isDigits = text.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
        guard isDigits, text.count == 1 || text.first != UInt8(ascii: "0"),
            let port = UInt16(String(decoding: text, as: UTF8.self))
        else { throw .badPort }
        return port
    }
}

import ProxyProtocol
import Testing

/// What the specification forbids, and what fits into none of its forms: each is refused, with its reason, as soon as the byte
/// is there that gives it away.
@Suite struct MalformedHeaderTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        let fault: ProxyHeader.Fault
        /// How many of the bytes give it away.
        let seenAt: Int

        init(_ name: String, _ bytes: [UInt8], _ fault: ProxyHeader.Fault, seenAt: Int? = nil) {
            self.name = name
            self.bytes = bytes
            self.fault = fault
            self.seenAt = seenAt ?? bytes.count
        }

        init(_ name: String, _ text: String, _ fault: ProxyHeader.Fault, seenAt: Int? = nil) {
            self.init(name, Array(text.utf8), fault, seenAt: seenAt)
        }

        var testDescription: String { name }
    }

    static let text: [Case] = [
        Case("another protocol", "GET / HTTP/1.1\r\n", .noHeader, seenAt: 1),
        Case("TLS", [0x16, 0x03, 0x01, 0x02, 0x00], .noHeader, seenAt: 1),
        Case("small letters", "proxy TCP4 1.2.3.4 5.6.7.8 1 2\r\n", .noHeader, seenAt: 1),
        Case("a tab for the first space", "PROXY\tTCP4 1.2.3.4 5.6.7.8 1 2\r\n", .noHeader, seenAt: 6),
        Case("nothing but the word", "PROXY\r\n", .noHeader, seenAt: 6),
        Case("a space in front", " PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n", .noHeader, seenAt: 1),
        Case("a line end in front", "\r\nPROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n", .noHeader, seenAt: 3),
        Case("a line feed alone", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n", .badLineEnd),
        Case("a carriage return alone", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\rGET", .badLineEnd, seenAt: 32),
        Case("two carriage returns", "PROXY UNKNOWN\r\r\n", .badLineEnd, seenAt: 15),
        Case("a line feed in what is ignored", "PROXY UNKNOWN a\nb\r\n", .badLineEnd, seenAt: 16),
        Case("no end in 107 bytes", "PROXY UNKNOWN " + String(repeating: "x", count: 93), .tooLong),
        Case("108 bytes", "PROXY UNKNOWN " + String(repeating: "x", count: 92) + "\r\n", .tooLong, seenAt: 107),
        Case("no protocol", "PROXY \r\n", .unknownProtocol),
        Case("another protocol's name", "PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n", .unknownProtocol),
        Case("TCP alone", "PROXY TCP 1.2.3.4 5.6.7.8 1 2\r\n", .unknownProtocol),
        Case("a protocol in small letters", "PROXY tcp4 1.2.3.4 5.6.7.8 1 2\r\n", .unknownProtocol),
        Case("UNKNOWN with a letter more", "PROXY UNKNOWNS\r\n", .unknownProtocol),
        Case("two spaces before the protocol", "PROXY  TCP4 1.2.3.4 5.6.7.8 1 2\r\n", .unknownProtocol),
        Case("no addresses", "PROXY TCP4\r\n", .badFields),
        Case("no ports", "PROXY TCP4 1.2.3.4 5.6.7.8\r\n", .badFields),
        Case("one port", "PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n", .badFields),
        Case("a field more", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n", .badFields),
        Case("a space at the end", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n", .badFields),
        Case("two spaces", "PROXY TCP4 1.2.3.4  5.6.7.8 1 2\r\n", .badFields),
        Case("a tab", "PROXY TCP4 1.2.3.4\t5.6.7.8 1 2\r\n", .badFields),
        Case("an IPv6 address with TCP4", "PROXY TCP4 ::1 ::1 1 2\r\n", .badAddress),
        Case("an IPv4 address with TCP6", "PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n", .badAddress),
        Case("addresses of both families", "PROXY TCP4 1.2.3.4 ::1 1 2\r\n", .badAddress),
        Case("an address of three parts", "PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n", .badAddress),
        Case("an address of five parts", "PROXY TCP4 1.2.3.4.5 5.6.7.8 1 2\r\n", .badAddress),
        Case("a part above 255", "PROXY TCP4 1.2.3.256 5.6.7.8 1 2\r\n", .badAddress),
        Case("a part with a leading zero", "PROXY TCP4 1.2.3.04 5.6.7.8 1 2\r\n", .badAddress),
        Case("a sign", "PROXY TCP4 1.2.3.-4 5.6.7.8 1 2\r\n", .badAddress),
        Case("a name", "PROXY TCP4 localhost 5.6.7.8 1 2\r\n", .badAddress),
        Case("a zero in an address", "PROXY TCP4 1.2.3.4\0 5.6.7.8 1 2\r\n", .badAddress),
        Case("a letter that is no hexadecimal digit", "PROXY TCP6 ::g ::1 1 2\r\n", .badAddress),
        Case("five digits", "PROXY TCP6 ::12345 ::1 1 2\r\n", .badAddress),
        Case("two gaps", "PROXY TCP6 1::2::3 ::1 1 2\r\n", .badAddress),
        Case("nine parts", "PROXY TCP6 1:2:3:4:5:6:7:8:9 ::1 1 2\r\n", .badAddress),
        Case("brackets", "PROXY TCP6 [::1] ::1 1 2\r\n", .badAddress),
        Case("a zone", "PROXY TCP6 fe80::1%1 ::1 1 2\r\n", .badAddress),
        Case("a port above 65535", "PROXY TCP4 1.2.3.4 5.6.7.8 65536 2\r\n", .badPort),
        Case("a port past 64 bits", "PROXY TCP4 1.2.3.4 5.6.7.8 18446744073709551617 2\r\n", .badPort),
        Case("a port with a leading zero", "PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n", .badPort),
        Case("a port below zero", "PROXY TCP4 1.2.3.4 5.6.7.8 -1 2\r\n", .badPort),
        Case("a port with a plus", "PROXY TCP4 1.2.3.4 5.6.7.8 +1 2\r\n", .badPort),
        Case("a hexadecimal port", "PROXY TCP4 1.2.3.4 5.6.7.8 0x1 2\r\n", .badPort),
        Case("a port with a letter", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2a\r\n", .badPort),
        Case("a port of nothing", "PROXY TCP4 1.2.3.4 5.6.7.8  2\r\n", .badPort),
    ]

    static let binary: [Case] = [
        Case("a signature with another last byte", Array(Headers.signature.dropLast()) + [0x0D], .noHeader),
        Case("a signature with another first half", [0x0D, 0x0A, 0x0D, 0x0D], .noHeader),
        Case("version 0", Headers.binary(0x01), .unknownVersion, seenAt: 13),
        Case("version 1 in binary", Headers.binary(0x11), .unknownVersion, seenAt: 13),
        Case("version 3", Headers.binary(0x31), .unknownVersion, seenAt: 13),
        Case("version 2 in the old place", Headers.binary(0x02), .unknownVersion, seenAt: 13),
        Case("command 2", Headers.binary(0x22), .unknownCommand, seenAt: 13),
        Case("command 15", Headers.binary(0x2F), .unknownCommand, seenAt: 13),
        Case("family 4", Headers.binary(0x21, 0x41), .unknownFamily, seenAt: 14),
        Case("family 15", Headers.binary(0x21, 0xF1), .unknownFamily, seenAt: 14),
        Case("transport 3", Headers.binary(0x21, 0x13), .unknownTransport, seenAt: 14),
        Case("transport 15", Headers.binary(0x21, 0x2F), .unknownTransport, seenAt: 14),
        Case("UDP over IPv4", Headers.binary(0x21, 0x12), .datagram, seenAt: 14),
        Case("UDP over IPv6", Headers.binary(0x21, 0x22, Headers.v6), .datagram, seenAt: 14),
        Case("a Unix datagram", Headers.binary(0x21, 0x32, Headers.zeros(216)), .datagram, seenAt: 14),
        Case("no addresses", Headers.binary(0x21, 0x11, []), .addressesCutOff),
        Case("IPv4 a byte short", Headers.binary(length: 11), .addressesCutOff, seenAt: 16),
        Case("IPv6 with room for IPv4", Headers.binary(0x21, 0x21, Headers.v4), .addressesCutOff, seenAt: 16),
        Case("IPv6 a byte short", Headers.binary(0x21, 0x21, Headers.v6, length: 35), .addressesCutOff, seenAt: 16),
        Case(
            "Unix a byte short", Headers.binary(0x21, 0x31, Headers.zeros(216), length: 215), .addressesCutOff,
            seenAt: 16),
        Case("longer than 16 KiB", Headers.binary(length: (16 << 10) - 15), .tooLong, seenAt: 16),
        Case("as long as can be said", Headers.binary(0x20, 0x00, [], length: 0xFFFF), .tooLong),
        Case("a field's type alone", Headers.binary(rest([0x04])), .fieldCutOff),
        Case("a field without its whole length", Headers.binary(rest([0x04, 0])), .fieldCutOff),
        Case(
            "a field longer than the header", Headers.binary(rest(Headers.field(0x04, [1, 2], length: 3))), .fieldCutOff
        ),
        Case(
            "a field as long as can be said", Headers.binary(rest(Headers.field(0xEA, [], length: 0xFFFF))),
            .fieldCutOff),
        Case(
            "a second field that is cut off", Headers.binary(rest(Headers.field(0x04, [1]) + [0xEA, 0])), .fieldCutOff),
        Case("a checksum of three bytes", Headers.binary(rest(Headers.field(0x03, [1, 2, 3]))), .badFieldLength),
        Case("a checksum of five bytes", Headers.binary(rest(Headers.field(0x03, Headers.zeros(5)))), .badFieldLength),
        Case("a wrong checksum", Headers.binary(rest(Headers.field(0x03, Headers.zeros(4)))), .wrongChecksum),
        Case(
            "an id of 129 bytes", Headers.binary(rest(Headers.field(0x05, Headers.zeros(129)))), .badFieldLength),
        Case(
            "two ids", Headers.binary(rest(Headers.field(0x05, [1]) + Headers.field(0x05, [1]))), .repeatedField),
        Case("TLS of four bytes", Headers.binary(rest(Headers.field(0x20, [1, 0, 0, 0]))), .badFieldLength),
        Case("TLS of nothing", Headers.binary(rest(Headers.field(0x20, []))), .badFieldLength),
        Case(
            "TLS twice",
            Headers.binary(rest(Headers.field(0x20, [1, 0, 0, 0, 0]) + Headers.field(0x20, [1, 0, 0, 0, 0]))),
            .repeatedField),
        Case(
            "a field of TLS that is cut off", Headers.binary(rest(Headers.field(0x20, [1, 0, 0, 0, 0, 0x21, 0]))),
            .fieldCutOff),
        Case(
            "a field of TLS that ends behind it",
            Headers.binary(
                rest(
                    Headers.field(0x20, [1, 0, 0, 0, 0] + Headers.field(0x21, Array("TLSv1.3".utf8), length: 8))
                        + Headers.field(0x04, [0]))), .fieldCutOff),
        Case(
            "two names in TLS",
            Headers.binary(
                rest(
                    Headers.field(
                        0x20, [7, 0, 0, 0, 0] + Headers.field(0x22, [0x61]) + Headers.field(0x22, [0x62])))),
            .repeatedField),
    ]

    private static func rest(_ fields: [UInt8]) -> [UInt8] { Headers.v4 + fields }

    @Test(arguments: text + binary) func isRefused(test: Case) {
        #expect(Headers.parse(test.bytes) == .invalid(test.fault))
        #expect(Headers.parse(test.bytes + Array("what follows".utf8)) == .invalid(test.fault))
    }

    /// A byte more each time: all is well until it is not, and then it stays so.
    @Test(arguments: text + binary) func isRefusedByteByByte(test: Case) {
        for count in 0..<test.seenAt {
            #expect(Headers.parse(Array(test.bytes[..<count])) == .incomplete, "after \(count) bytes")
        }
        for count in test.seenAt...test.bytes.count {
            #expect(Headers.parse(Array(test.bytes[..<count])) == .invalid(test.fault), "after \(count) bytes")
        }
    }

    @Test func everyFaultOfBytesIsHere() {
        let seen = Set((Self.text + Self.binary).map(\.fault))
        // Of a stream that has ended, not of its bytes.
        #expect(Set(ProxyHeader.Fault.allCases).subtracting(seen) == [.cutOff])
    }
}

extension Headers {
    fileprivate static func binary(_ rest: [UInt8]) -> [UInt8] { binary(0x21, 0x11, rest) }
}

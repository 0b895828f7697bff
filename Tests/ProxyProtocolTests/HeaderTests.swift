import Network
import ProxyProtocol
import Testing

@Suite struct HeaderTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        let header: ProxyHeader

        init(_ name: String, _ bytes: [UInt8], _ header: ProxyHeader) {
            self.name = name
            self.bytes = bytes
            self.header = header
        }

        init(_ text: String, _ header: ProxyHeader) {
            self.init(text, Array("\(text)\r\n".utf8), header)
        }

        var testDescription: String { name }
    }

    private static let longV6 = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff"

    static let text: [Case] = [
        Case("PROXY TCP4 192.0.2.1 198.51.100.2 1000 443", Headers.endpoints("192.0.2.1", "198.51.100.2")),
        Case(
            "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535",
            Headers.endpoints("255.255.255.255", "255.255.255.255", (65535, 65535))),
        Case("PROXY TCP4 0.0.0.0 0.0.0.0 0 0", Headers.endpoints("0.0.0.0", "0.0.0.0", (0, 0))),
        Case("PROXY TCP6 2001:db8::1 ::1 1000 443", Headers.endpoints("2001:db8::1", "::1")),
        Case("PROXY TCP6 2001:DB8::A :: 1000 443", Headers.endpoints("2001:db8::a", "::")),
        Case(
            "PROXY TCP6 \(longV6)e \(longV6)f 65535 65535",
            Headers.endpoints("\(longV6)e", "\(longV6)f", (65535, 65535))),
        Case("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:c633:6402 1000 443", Headers.endpoints("192.0.2.1", "198.51.100.2")),
        Case("PROXY UNKNOWN", ProxyHeader()),
        Case("PROXY UNKNOWN \(longV6)f \(longV6)f 65535 65535", ProxyHeader()),
        Case("PROXY UNKNOWN anything\0 at  all", ProxyHeader()),
    ]

    private static let id = ProxyHeader(
        endpoints: Headers.endpoints("192.0.2.1", "198.51.100.2").endpoints, uniqueID: Array("id".utf8))

    static let binary: [Case] = [
        Case("IPv4", Headers.binary(), Headers.endpoints("192.0.2.1", "198.51.100.2")),
        Case("IPv6", Headers.binary(0x21, 0x21, Headers.v6), Headers.endpoints("2001:db8::1", "::1")),
        Case(
            "IPv4 in IPv6",
            Headers.binary(
                0x21, 0x21,
                Headers.zeros(10) + [255, 255, 192, 0, 2, 1] + Headers.zeros(10) + [255, 255, 198, 51, 100, 2]
                    + [3, 232, 1, 187]), Headers.endpoints("192.0.2.1", "198.51.100.2")),
        Case(
            "Unix",
            Headers.binary(
                0x21, 0x31,
                Array("/run/a".utf8) + Headers.zeros(102) + [UInt8](repeating: 0x62, count: 107) + [0]),
            Headers.endpoints("/run/a", String(repeating: "b", count: 107))),
        Case("Unix without names", Headers.binary(0x21, 0x31, Headers.zeros(216)), Headers.endpoints("", "")),
        Case(
            "Unix, abstract, and no text",
            Headers.binary(0x21, 0x31, [0, 0x61] + Headers.zeros(106) + [UInt8](repeating: 0xFF, count: 108)),
            Headers.endpoints("@a", "")),
        Case(
            "Unix, abstract as long as may be, and what would look like it",
            Headers.binary(
                0x21, 0x31, [0, 0] + [UInt8](repeating: 0x61, count: 106) + Array("@b".utf8) + Headers.zeros(106)),
            Headers.endpoints("@@" + String(repeating: "a", count: 106), "")),
        Case("LOCAL", Headers.binary(0x20, 0x00, []), ProxyHeader()),
        Case("LOCAL with addresses", Headers.binary(0x20, 0x11), ProxyHeader()),
        Case("LOCAL of no known family", Headers.binary(0x20, 0xFF, [1, 2, 3]), ProxyHeader()),
        Case("LOCAL of a datagram", Headers.binary(0x20, 0x12), ProxyHeader()),
        Case("UNSPEC", Headers.binary(0x21, 0x00, []), ProxyHeader()),
        Case("UNSPEC with something", Headers.binary(0x21, 0x00, [1, 2, 3]), ProxyHeader()),
        Case("a family without a transport", Headers.binary(0x21, 0x10), ProxyHeader()),
        Case("a transport without a family", Headers.binary(0x21, 0x01, []), ProxyHeader()),
        Case(
            "an empty field", Headers.binary(rest: Headers.field(0x04, [])),
            Headers.endpoints("192.0.2.1", "198.51.100.2")),
        Case(
            "fields of others",
            Headers.binary(
                rest: Headers.field(0x01, Array("h2".utf8)) + Headers.field(0x02, Array("example".utf8))
                    + Headers.field(0xEA, Headers.zeros(300)) + Headers.field(0xFF, [])),
            Headers.endpoints("192.0.2.1", "198.51.100.2")),
        Case("an id", Headers.binary(rest: Headers.field(0x05, Array("id".utf8))), id),
        Case(
            "an id among others",
            Headers.binary(
                rest: Headers.field(0x04, [0]) + Headers.field(0x05, Array("id".utf8)) + Headers.field(0x30, [0x61])),
            id),
        // The checksum is that of another program (test_proxy_protocol.py has HAProxy's, too).
        Case(
            "a checksum", Headers.binary(rest: Headers.field(0x03, [0x93, 0xF0, 0x0E, 0xB1])),
            Headers.endpoints("192.0.2.1", "198.51.100.2")),
        Case(
            "as long as may be", Headers.binary(rest: Headers.field(0x04, Headers.zeros((16 << 10) - 16 - 12 - 3))),
            Headers.endpoints("192.0.2.1", "198.51.100.2")),
    ]

    @Test(arguments: text + binary) func isRead(test: Case) {
        #expect(Headers.parse(test.bytes) == .complete(test.header, length: test.bytes.count))
        // What follows is not looked at.
        for rest in ["x", "\r\nPROXY UNKNOWN\r\n", "\0"] {
            #expect(Headers.parse(test.bytes + Array(rest.utf8)) == .complete(test.header, length: test.bytes.count))
        }
    }

    @Test(arguments: text + binary) func isReadByteByByte(test: Case) {
        for count in 0..<test.bytes.count {
            #expect(Headers.parse(Array(test.bytes[..<count])) == .incomplete, "after \(count) bytes")
        }
    }

    @Test func readsTLS() {
        let fields: [[UInt8]] = [
            Headers.field(0x21, Array("TLSv1.3".utf8)), Headers.field(0x22, Array("Zoë".utf8)),
            Headers.field(0x23, Array("TLS_AES_256_GCM_SHA384".utf8)), Headers.field(0x24, Array("SHA256".utf8)),
            Headers.field(0x25, Array("RSA2048".utf8)), Headers.field(0x26, [1]),
        ]
        let bytes = Headers.binary(rest: Headers.field(0x20, [7, 0, 0, 1, 2] + fields.flatMap(\.self)))
        let tls = ProxyHeader.TLS(
            isUsed: true, hasCertificate: true, hadCertificate: true, verification: 0x102,
            version: Array("TLSv1.3".utf8), commonName: Array("Zoë".utf8),
            cipher: Array("TLS_AES_256_GCM_SHA384".utf8), signatureAlgorithm: Array("SHA256".utf8),
            keyAlgorithm: Array("RSA2048".utf8))
        var header = Headers.endpoints("192.0.2.1", "198.51.100.2")
        header.tls = tls
        #expect(Headers.parse(bytes) == .complete(header, length: bytes.count))
        let plain = Headers.binary(rest: Headers.field(0x20, [0, 0, 0, 0, 0]))
        header.tls = ProxyHeader.TLS(isUsed: false)
        #expect(Headers.parse(plain) == .complete(header, length: plain.count))
    }

    // MARK: Writing

    private func written(_ header: ProxyHeader, _ version: ProxyHeader.Version) -> [UInt8] {
        var output = Array("before".utf8)
        header.write(as: version, into: &output)
        #expect(output.starts(with: "before".utf8))
        return Array(output.dropFirst(6))
    }

    @Test(arguments: [
        ("192.0.2.1", "198.51.100.2", "PROXY TCP4 192.0.2.1 198.51.100.2 1000 443\r\n"),
        ("2001:db8::1", "::1", "PROXY TCP6 2001:db8::1 ::1 1000 443\r\n"),
        ("192.0.2.1", "::1", "PROXY TCP6 ::ffff:192.0.2.1 ::1 1000 443\r\n"),
        ("", "", "PROXY UNKNOWN\r\n"), ("192.0.2.1", "/run/a", "PROXY UNKNOWN\r\n"),
    ]) func writesText(source: String, destination: String, line: String) {
        #expect(String(decoding: written(Headers.endpoints(source, destination), .v1), as: UTF8.self) == line)
    }

    /// Each ends with its checksum, which other tests hold to other programs.
    @Test(
        arguments: [
            (Headers.endpoints("192.0.2.1", "198.51.100.2"), 0x11, Headers.v4),
            (Headers.endpoints("2001:db8::1", "::1"), 0x21, Headers.v6),
            (Headers.endpoints("", ""), 0x31, Headers.zeros(216)),
            (
                Headers.endpoints("@a", "/b"), 0x31,
                [0, 0x61] + Headers.zeros(106) + Array("/b".utf8) + Headers.zeros(106)
            ),
            (id, 0x11, Headers.v4 + Headers.field(0x05, Array("id".utf8))),
        ] as [(ProxyHeader, UInt8, [UInt8])]) func writesBinary(header: ProxyHeader, family: UInt8, rest: [UInt8])
    {
        let bytes = written(header, .v2)
        let checksum = Array(bytes.suffix(4))
        #expect(bytes == Headers.binary(0x21, family, rest + Headers.field(0x03, checksum)))
        #expect(Headers.parse(bytes) == .complete(header, length: bytes.count))
    }

    @Test func writesChecksums() {
        // That of another program, over the header with zeros in its place.
        let bytes = written(Headers.endpoints("192.0.2.1", "198.51.100.2"), .v2)
        #expect(bytes.suffix(4) == [0x93, 0xF0, 0x0E, 0xB1])
    }

    @Test func writesThatNobodyIsKnown() {
        #expect(written(Headers.endpoints("192.0.2.1", "/run/a"), .v2) == Headers.binary(0x20, 0, []))
        #expect(written(ProxyHeader(uniqueID: [1]), .v2) == Headers.binary(0x20, 0, []))
    }

    /// Of the result it is said that it is zero for a good certificate, and something else for none.
    /// An authority may have signed any.
    @Test(arguments: [256, 257, 70_000]) func namesThatAreTooLongAreLeftOut(length: Int) throws {
        var header = Headers.endpoints("192.0.2.1", "198.51.100.2")
        let name = String(repeating: "a", count: length)
        header.tls = ProxyHeader.TLS(
            version: "TLSv1.3", cipher: "C", certificate: ProxyHeader.TLS.Certificate(commonName: name),
            isResumed: false)
        var bytes: [UInt8] = []
        header.write(as: .v2, into: &bytes)
        guard case .complete(let read, bytes.count) = ProxyHeader.parse(bytes.span) else {
            Issue.record("it cannot be read")
            return
        }
        #expect(read.tls?.commonName?.count == (length > 256 ? nil : length))
        #expect(read.tls?.hasCertificate == true)
    }

    @Test func tellsOfTLSThatEndsHere() {
        let none = ProxyHeader.TLS(version: "TLSv1.3", cipher: "C", certificate: nil, isResumed: false)
        #expect(none == ProxyHeader.TLS(isUsed: true, verification: 1, version: Array("TLSv1.3".utf8), cipher: [0x43]))
        let alice = ProxyHeader.TLS.Certificate(commonName: "alice")
        for isResumed in [false, true] {
            let shown = ProxyHeader.TLS(version: "TLSv1.2", cipher: "C", certificate: alice, isResumed: isResumed)
            #expect(shown.isUsed && shown.hadCertificate && shown.hasCertificate != isResumed)
            #expect(shown.verification == 0 && shown.commonName == Array("alice".utf8))
        }
        let nameless = ProxyHeader.TLS(
            version: "TLSv1.3", cipher: "C", certificate: ProxyHeader.TLS.Certificate(commonName: nil), isResumed: false
        )
        #expect(nameless.hasCertificate && nameless.verification == 0 && nameless.commonName == nil)
    }

    /// What is written says the same again.
    @Test func writesWhatItReads() {
        var header = Headers.endpoints("192.0.2.1", "::1")
        header.uniqueID = (0..<128).map { UInt8($0) }
        header.tls = ProxyHeader.TLS(
            isUsed: true, hasCertificate: false, hadCertificate: true, verification: .max, version: [], commonName: nil,
            cipher: [0, 255], signatureAlgorithm: Array("a".utf8), keyAlgorithm: Array("b".utf8))
        let bytes = written(header, .v2)
        #expect(Headers.parse(bytes) == .complete(header, length: bytes.count))
    }
}

extension Headers {
    fileprivate static func binary(rest: [UInt8]) -> [UInt8] { binary(0x21, 0x11, v4 + rest) }
}

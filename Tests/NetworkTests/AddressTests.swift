import Network
import Testing

@Suite struct AddressTests {
    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("::", "::"),
        ("::1", "::1"), ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"), ("::ffff:10.0.0.1", "::ffff:10.0.0.1"),
        ("fe80::1", "fe80::1"),
    ])
    func addressesAreReadAndWritten(text: String, canonical: String) throws {
        #expect(try #require(IPAddress(text)).description == canonical)
    }

    @Test(arguments: [
        "", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4", "localhost", "[::1]", "::1%lo", ":::", "1.2.3.4 ",
    ])
    func whatIsNoAddressIsRefused(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("127.255.0.9", true), ("128.0.0.1", false), ("::1", true), ("::2", false),
        ("::ffff:127.0.0.1", true), ("::ffff:10.0.0.1", false), ("0.0.0.0", false),
    ])
    func loopbackIsKnown(text: String, isLoopback: Bool) throws {
        #expect(try #require(IPAddress(text)).isLoopback == isLoopback)
    }

    @Test(arguments: [
        ("169.254.1.1", true), ("169.253.1.1", false), ("fe80::1", true), ("febf::1", true), ("fec0::1", false),
    ])
    func linkLocalIsKnown(text: String, isLinkLocal: Bool) throws {
        #expect(try #require(IPAddress(text)).isLinkLocal == isLinkLocal)
    }

    @Test func socketAddressesAreWrittenAsPeopleDo() {
        #expect(SocketAddress.ip(.loopbackV4, port: 8000).description == "127.0.0.1:8000")
        #expect(SocketAddress.ip(.loopbackV6, port: 8000).description == "[::1]:8000")
        #expect(SocketAddress.ip(IPAddress("fe80::1")!, port: 1, zone: 2).description == "[fe80::1%2]:1")
        #expect(SocketAddress.unix(path: "/run/app.sock").description == "unix:/run/app.sock")
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.255.255", true), ("10.0.0.0/8", "11.0.0.0", false), ("0.0.0.0/0", "1.2.3.4", true),
        ("0.0.0.0/0", "::1", false), ("::/0", "2001:db8::1", true), ("192.0.2.7", "192.0.2.7", true),
        ("192.0.2.7", "192.0.2.8", false), ("2001:db8::/33", "2001:db8:7fff::", true),
        ("2001:db8::/33", "2001:db8:8000::", false), ("2001:db8::/65", "2001:db8::7fff:0:0:0", true),
        ("2001:db8::/65", "2001:db8::8000:0:0:0", false), ("2001:db8::1/128", "2001:db8::1", true),
    ])
    func blocksContainTheirAddresses(block: String, address: String, isContained: Bool) throws {
        #expect(try #require(CIDR(block)).contains(#require(IPAddress(address))) == isContained)
    }

    @Test(arguments: ["10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "/8", "::1/64", "10.0.0.0/+8", "a/8"])
    func whatIsNoBlockIsRefused(text: String) {
        #expect(CIDR(text) == nil)
    }

    @Test(arguments: [
        ("10.1.2.3", 8, "10.0.0.0/8"), ("10.1.2.3", 32, "10.1.2.3/32"), ("255.255.255.255", 0, "0.0.0.0/0"),
        ("10.1.2.255", 25, "10.1.2.128/25"), ("2001:db8:1:2:3:4:5:6", 32, "2001:db8::/32"),
        ("2001:db8:1:2:3:4:5:6", 64, "2001:db8:1:2::/64"), ("2001:db8:1:2:ffff::", 65, "2001:db8:1:2:8000::/65"),
        ("::1", 128, "::1/128"), ("ffff::1", 0, "::/0"),
    ])
    func theBlockOfAnAddressIsFound(address: String, prefixLength: Int, block: String) throws {
        let found = CIDR(containing: try #require(IPAddress(address)), prefixLength: prefixLength)
        #expect(found.description == block)
        #expect(found == CIDR(block))
    }
}

import HTTP1
import Network
import Testing

@testable import Proxy

@Suite struct RecentSendersTests {
    private func sender(_ address: IPAddress, scheme: Scheme = .http) -> Sender {
        Sender(address: Array(address.description.utf8), scheme: scheme, isTrusted: false)
    }

    @Test func aClientIsMadeOnce() throws {
        var recent = RecentSenders()
        let address = try #require(IPAddress("192.0.2.1"))
        let first = recent.sender(address, scheme: .http) { sender(address) }
        let second = recent.sender(address, scheme: .http) {
            Issue.record("it is known")
            return sender(address)
        }
        #expect(first === second)
    }

    /// A proxy before us may have taken one connection of the client's over TLS and another one without.
    @Test func howAClientCameIsTold() throws {
        var recent = RecentSenders()
        let address = try #require(IPAddress("192.0.2.1"))
        for scheme in [Scheme.http, .https, .http] {
            #expect(recent.sender(address, scheme: scheme) { sender(address, scheme: scheme) }.scheme == scheme)
        }
    }

    @Test func nobodyIsTakenForAnother() {
        var recent = RecentSenders()
        // Far more than there are places, twice, and both families where they have the same bits.
        for bits in [0..<1000, 0..<1000].joined() {
            for address in [IPAddress.v4(UInt32(bits)), .v6(0, UInt64(bits)), .v6(UInt64(bits), 0)] {
                let known = recent.sender(address, scheme: .http) { sender(address) }
                #expect(known.address == Array(address.description.utf8))
            }
        }
    }
}

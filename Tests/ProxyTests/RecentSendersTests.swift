import HTTP1
import Network
import Testing

@testable import Proxy

@Suite struct RecentSendersTests {
    private func sender(_ address: IPAddress) -> Sender {
        Sender(address: Array(address.description.utf8), scheme: .http, isTrusted: false)
    }

    @Test func aClientIsMadeOnce() throws {
        var recent = RecentSenders()
        let address = try #require(IPAddress("192.0.2.1"))
        let first = recent.sender(address) { sender(address) }
        let second = recent.sender(address) {
            Issue.record("it is known")
            return sender(address)
        }
        #expect(first === second)
    }

    @Test func nobodyIsTakenForAnother() {
        var recent = RecentSenders()
        // Far more than there are places, twice, and both families where they have the same bits.
        for bits in [0..<1000, 0..<1000].joined() {
            for address in [IPAddress.v4(UInt32(bits)), .v6(0, UInt64(bits)), .v6(UInt64(bits), 0)] {
                let known = recent.sender(address) { sender(address) }
                #expect(known.address == Array(address.description.utf8))
            }
        }
    }
}

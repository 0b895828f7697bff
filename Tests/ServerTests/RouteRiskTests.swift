import Configuration
import Network
import Testing

@testable import Server

/// A warning for routes that let everybody come in to a database, and for no others.
@Suite struct RouteRiskTests {
    private static func route(_ listen: String, port: UInt16 = 6379, allow: [CIDR] = []) -> Route {
        let address = SocketAddress.ip(IPAddress(listen)!, port: 8080)
        return Route(
            listen: [.address(address)], upstream: .localhost(port: port),
            settings: RouteSettings { $0.allow = allow })
    }

    @Test func saysSoWhereAnybodyMayComeIn() throws {
        #expect(try #require(Self.route("0.0.0.0").risk()).hasPrefix("a Redis server is behind this port"))
        #expect(Self.route("192.0.2.1", port: 8000).risk(upstreamOf: ["memcached"])?.hasPrefix("memcached") == true)
        let everywhere = Route(
            listen: [.everyNonLoopback(port: 6379, families: [.v4])], upstream: .localhost(port: 6379))
        #expect(everywhere.risk() != nil)
    }

    @Test func saysNothingOtherwise() {
        #expect(Self.route("0.0.0.0", allow: [CIDR("10.0.0.0/8")!]).risk() == nil)
        #expect(Self.route("127.0.0.1").risk() == nil)
        #expect(Self.route("0.0.0.0", port: 8000).risk(upstreamOf: ["python3"]) == nil)
        #expect(
            Route(listen: [.address(.ip(.anyV4, port: 80))], upstream: .address(.unix(path: "/run/redis.sock"))).risk()
                == nil)
    }
}

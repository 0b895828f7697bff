import Configuration
import Network
import Testing

@Suite struct ProxyProtocolSettingsTests {
    private func settings(from peers: String) throws -> ProxyProtocolSettings {
        let yaml = "routes: [{ listen: 1, upstream: 2, proxy_protocol: { accept: true, trusted_proxies: \(peers) } }]"
        return try #require(try load(yaml: yaml).get().routes.first).proxyProtocol
    }

    private func peer(_ address: String) throws -> SocketAddress {
        .ip(try #require(IPAddress(address)), port: 1000)
    }

    @Test func headersComeFromTheTrustedOnly() throws {
        let settings = try settings(from: "[10.0.0.0/8, \"2001:db8::/32\"]")
        for address in ["10.1.2.3", "2001:db8::1"] { #expect(settings.expectsHeader(from: try peer(address))) }
        for address in ["11.0.0.1", "2001:db9::1", "::1"] { #expect(!settings.expectsHeader(from: try peer(address))) }
        #expect(!settings.expectsHeader(from: .unix(path: "")))
        var declined = settings
        declined.accept = false
        #expect(!declined.expectsHeader(from: try peer("10.1.2.3")))
    }

    /// As a listener for both families knows it.
    @Test func aTrustedProxyIsKnownByItsMappedAddress() throws {
        #expect(try settings(from: "10.0.0.0/8").expectsHeader(from: try peer("::ffff:10.1.2.3")))
        #expect(try !settings(from: "\"::/0\"").expectsHeader(from: try peer("::ffff:10.1.2.3")))
    }

    @Test(arguments: ["unix", "[10.0.0.0/8, unix]", "10.0.0.0/8 unix"])
    func whoComesByAUnixSocketIsTrustedWhereThatIsSaid(peers: String) throws {
        let settings = try settings(from: peers)
        #expect(settings.expectsHeader(from: .unix(path: "")) && settings.expectsHeader(from: .unix(path: "/run/lb")))
        #expect(try settings.expectsHeader(from: peer("10.1.2.3")) == peers.contains("10"))
    }

    @Test func isWrittenAsItIsRead() throws {
        let configuration = try load(
            yaml: """
                defaults: { proxy_protocol: { trusted_proxies: [unix, 10.0.0.0/8] } }
                routes: [{ listen: 1, upstream: 2, proxy_protocol: { accept: true, send: v1 } }]
                """
        ).get()
        #expect(try load(yaml: configuration.yaml).get() == configuration)
    }
}

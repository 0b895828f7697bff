import Configuration
import Testing

@Suite struct DatagramRouteTests {
    private func warnings(_ yaml: String) throws -> [String] {
        let file = ConfigurationFile(path: "f", contents: Array(yaml.utf8))
        return try LoadedConfiguration(ConfigurationSources(file: file)).warnings.map(\.description)
    }

    @Test func silenceEndsAFlowSooner() throws {
        let routes = try load(routes: ["8000", "8000/udp"]).get().routes
        #expect(routes.map(\.protocol) == [.tcp, .udp])
        #expect(routes.map(\.idleTimeout) == [.seconds(3600), .seconds(60)])
        #expect(routes.map(\.name) == ["*:8000", "*:8000/udp"])
    }

    @Test func anIdleTimeoutThatIsSetHoldsForEverything() throws {
        let set = try load(options: ["idle-timeout": "7s"], routes: ["8000", "8000/udp"]).get()
        #expect(set.routes.map(\.idleTimeout) == [.seconds(7), .seconds(7)])
        let inherited = try load(
            yaml: """
                defaults: { idle_timeout: 1h }
                routes:
                  - { listen: 80, upstream: 8000, protocol: udp }
                  - { listen: 81, upstream: 8000, protocol: udp, idle_timeout: auto }
                """
        ).get()
        #expect(inherited.routes.map(\.idleTimeout) == [.seconds(3600), .seconds(60)])
    }

    @Test func portsOfTCPAndUDPAreNotTheSame() throws {
        #expect(try load(routes: ["8000", "8000/udp", "53:5353", "53:5353/udp"]).get().routes.count == 4)
        #expect(load(routes: ["53:5353/udp", "53:5354/udp"]).errorText.contains("is listened on twice"))
        // What leads to a port of the other kind leads nowhere near the listener.
        #expect(load(routes: ["127.0.0.1:53:127.0.0.1:53/udp"]).errorText.contains("leads back to this route"))
        #expect(
            try load(routes: ["127.0.0.1:53:127.0.0.1:54/udp", "127.0.0.1:54:127.0.0.1:53"]).get().routes.count == 2)
    }

    @Test func aUnixSocketTakesNoDatagrams() {
        let yaml = "routes: [{ listen: 80, upstream: 'unix:/a', protocol: udp }]"
        #expect(
            load(yaml: yaml).errorText.contains(
                "config.yaml:1:34: protocol udp is not possible with upstream 'unix:/a'; it takes a UDP port"))
    }

    @Test(arguments: [
        ("hold: 3s", "hold"), ("connect: first_byte", "connect"), ("half_close_timeout: 3s", "half_close_timeout"),
        ("upstream_connections: { max: 3 }", "upstream_connections.max"), ("pool: { spare: 3 }", "pool.spare"),
    ])
    func whatIsAboutConnectionsIsOfNoUse(setting: String, key: String) throws {
        let found = try warnings("routes: [{ listen: 80, upstream: 8000, protocol: udp, \(setting) }]")
        #expect(found.count == 1)
        #expect(found.first?.hasSuffix("warning: \(key) has no effect with 'protocol: udp'") == true)
        // It may be meant for the others.
        #expect(
            try warnings("defaults: { \(setting) }\nroutes: [{ listen: 80, upstream: 8000, protocol: udp }]") == [])
    }

    @Test func anotherTransportIsAnotherRoute() throws {
        let tcp = try load(routes: ["192.0.2.1:80:8000"]).get()
        let both = try load(routes: ["192.0.2.1:80:8000", "192.0.2.1:80:8000/udp"]).get()
        #expect(ConfigurationDifference(from: tcp, to: both).origins == [.unchanged(from: 0), .added])
        #expect(ConfigurationDifference(from: both, to: tcp).removed == [1])
    }
}

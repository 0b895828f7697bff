import Configuration
import Network
import Testing

@Suite struct HTTPSettingsTests {
    private func http(_ settings: String) -> Result<Configuration, ConfigurationErrors> {
        load(yaml: "routes: [{ listen: 80, upstream: 8000, protocol: http, http: { \(settings) } }]")
    }

    // MARK: host

    @Test(arguments: [
        ("preserve", HostPolicy.preserve), ("upstream", .upstream), ("localhost", .name("localhost")),
        ("localhost:3000", .name("localhost:3000")), ("app.Example", .name("app.Example")), ("a_b-c", .name("a_b-c")),
        ("192.0.2.1", .name("192.0.2.1")), ("192.0.2.1:1", .name("192.0.2.1:1")), ("[::1]", .name("[::1]")),
        ("[2001:db8::1]:65535", .name("[2001:db8::1]:65535")), ("7", .name("7")), ("xn--mgba", .name("xn--mgba")),
        (String(repeating: "a", count: 63), .name(String(repeating: "a", count: 63))),
    ])
    func readsHosts(text: String, expected: HostPolicy) throws {
        #expect(try load(options: ["host": text], routes: ["80:8000/http"]).route.http.host == expected)
        #expect(try http("host: '\(text)'").route.http.host == expected)
    }

    @Test(arguments: [
        ("Preserve", nil), ("http://app.example", "a Host field has neither a scheme nor a path"),
        ("app.example/", "a Host field has neither a scheme nor a path"),
        ("app:0", "'0' behind the colon in 'app:0' is no port from 1 to 65535"),
        ("app:65536", "'65536' behind the colon in 'app:65536' is no port"),
        ("app:", "'' behind the colon in 'app:' is no port"), ("app:+1", "'+1' behind the colon"),
        ("::1", "an IPv6 address needs brackets"), ("[::1", "is not an IPv6 address"),
        ("[localhost]", "'[localhost]' is not an IPv6 address"), ("[127.0.0.1]", "is not an IPv6 address"),
        ("[::1]x:80", "'[::1]x' is not an IPv6 address"), ("[fe80::1%2]", "is not an IPv6 address"),
        ("0.0.0.0", "the address to listen on stands in the route"),
        ("0.0.0.0:8000", "the address to listen on stands in the route"),
        ("[::]", "the address to listen on stands in the route"),
        ("", "expected preserve, upstream or a host name"), ("a..b", "expected preserve, upstream or a host name"),
        (".a", "expected"), ("a.", "expected"), ("-a", "expected"), ("a-", "expected"), ("a b", "expected"),
        ("a@b", "expected"), ("*", "expected"), ("bücher.example", "expected"), ("a\u{0}b", "expected"),
        ("a\r\nX-Forged: 1", "is no port"), ("app\r\nX", "expected"), ("a,b", "expected"),
        (String(repeating: "a", count: 64), "expected"), (String(repeating: "a.", count: 127) + "a", "expected"),
    ])
    func refusesOtherHosts(text: String, message: String?) {
        let error = load(options: ["host": text], routes: ["80:8000/http"]).errorText
        // A word in capitals is a name like any other.
        if let message { #expect(error.hasPrefix("--host: ") && error.contains(message)) } else { #expect(error == "") }
    }

    @Test(arguments: [
        ("8000", "localhost:8000"), ("80", "localhost"), ("127.0.0.1:8000", "127.0.0.1:8000"),
        ("127.0.0.1:80", "127.0.0.1"), ("'[::1]:3000'", "[::1]:3000"), ("'[::1]:80'", "[::1]"),
        ("'[fe80::1%2]:8000'", "[fe80::1]:8000"), ("unix:/run/app.sock", "localhost"), ("443", "localhost:443"),
    ])
    func namesTheAppAsAURLDoes(upstream: String, authority: String) throws {
        let route = try load(yaml: "routes: [{ listen: 81, upstream: \(upstream), protocol: http }]").route
        #expect(route.upstream.urlAuthority == authority)
    }

    // MARK: trusted_proxies

    @Test(arguments: [
        ("10.0.0.0/8", ["10.0.0.0/8"]), ("192.0.2.1", ["192.0.2.1/32"]), ("2001:db8::1", ["2001:db8::1/128"]),
        ("[10.0.0.0/8, 'fd00::/8']", ["10.0.0.0/8", "fd00::/8"]), ("[]", []), ("none", []), ("[none]", []),
        ("'10.0.0.0/8, fd00::/8'", ["10.0.0.0/8", "fd00::/8"]),
        (
            "['10.0.0.0/8 172.16.0.0/12', 0.0.0.0/0]",
            [
                "10.0.0.0/8", "172.16.0.0/12", "0.0.0.0/0",
            ]
        ),
    ])
    func readsBlocks(text: String, expected: [String]) throws {
        #expect(try http("trusted_proxies: \(text)").route.http.trustedProxies.map(\.description) == expected)
    }

    @Test func aRoutesBlocksTakeThePlaceOfTheDefaults() throws {
        let yaml = """
            defaults: { http: { trusted_proxies: [10.0.0.0/8], max_fields: 7 } }
            routes:
              - { listen: 80, upstream: 8000, protocol: http, http: { trusted_proxies: [192.0.2.0/24] } }
              - { listen: 81, upstream: 8000, protocol: http, http: { trusted_proxies: [] } }
              - { listen: 82, upstream: 8000, protocol: http }
            """
        let settings = try load(yaml: yaml).get().routes.map(\.http)
        #expect(settings.map { $0.trustedProxies.map(\.description) } == [["192.0.2.0/24"], [], ["10.0.0.0/8"]])
        #expect(settings.map(\.maxFields) == [7, 7, 7])
        let fromOption = try load(yaml: yaml, options: ["trusted-proxies": "none"]).get().routes.map(\.http)
        #expect(fromOption.map(\.trustedProxies) == [[], [], []])
    }

    @Test(arguments: [
        ("10.0.0.1/8", "'10.0.0.1/8' has bits behind its prefix; did you mean '10.0.0.0/8'?"),
        ("2001:db8::1/32", "'2001:db8::1/32' has bits behind its prefix; did you mean '2001:db8::/32'?"),
        ("10.0.0.0/33", "expected a prefix of 0 to 32 bits behind the slash, found '10.0.0.0/33'"),
        ("fd00::/129", "expected a prefix of 0 to 128 bits behind the slash, found 'fd00::/129'"),
        ("10.0.0.0/", "expected a prefix of 0 to 32 bits behind the slash, found '10.0.0.0/'"),
        ("10.0.0.0/-1", "expected a prefix of 0 to 32 bits behind the slash, found '10.0.0.0/-1'"),
        ("10.0.0.0/8/8", "expected a prefix of 0 to 32 bits behind the slash, found '10.0.0.0/8/8'"),
        ("10/8", "expected an address block such as 10.0.0.0/8, found '10/8'"),
        ("proxy", "expected an address block such as 10.0.0.0/8, found 'proxy'"),
        ("10.0.0.0/8;fd00::/8", "expected a prefix of 0 to 32 bits behind the slash, found '10.0.0.0/8;fd00::/8'"),
        ("::ffff:10.1.2.3/104", "'::ffff:10.1.2.3/104' is of IPv4-mapped IPv6 addresses; write '10.0.0.0/8'"),
        ("10.0.0.0\u{0}/8", #"expected an address block such as 10.0.0.0/8, found '10.0.0.0\0/8'"#),
        (",", "expected none, unix, or address blocks such as 10.0.0.0/8, found ','"),
    ])
    func refusesOtherBlocks(text: String, message: String) {
        #expect(
            load(options: ["trusted-proxies": text], routes: ["80:8000/http"]).errorText
                == "--trusted-proxies: \(message)")
    }

    @Test func pointsAtTheBlockThatIsWrong() {
        #expect(
            http("trusted_proxies: [10.0.0.0/8, 10.0.0.1/8, x]").errorText == """
                config.yaml:1:94: '10.0.0.1/8' has bits behind its prefix; did you mean '10.0.0.0/8'?
                config.yaml:1:106: expected an address block such as 10.0.0.0/8, found 'x'
                """)
    }

    @Test func trustsWhoIsInABlock() throws {
        let settings = try http("trusted_proxies: [10.0.0.0/8, 'fd00::/8', 192.0.2.1]").route.http
        for (address, isTrusted) in [
            ("10.255.0.1", true), ("11.0.0.0", false), ("fd12::1", true), ("fe80::1", false), ("192.0.2.1", true),
            ("192.0.2.2", false), ("127.0.0.1", false),
        ] {
            #expect(settings.trusts(.ip(try #require(IPAddress(address)), port: 1)) == isTrusted, "\(address)")
        }
        #expect(!HTTPSettings().trusts(.ip(.loopbackV4, port: 1)))
        #expect(!settings.trusts(.unix(path: "")))
    }

    @Test(arguments: ["unix", "[unix]", "'10.0.0.0/8 unix'", "[10.0.0.0/8, unix]"])
    func trustsUnixSocketsByThatWord(text: String) throws {
        let settings = try http("trusted_proxies: \(text)").route.http
        #expect(settings.trusts(.unix(path: "")))
        #expect(!settings.trusts(.ip(.loopbackV4, port: 1)))
    }

    // MARK: Sizes and numbers

    @Test(arguments: [
        ("1KiB", 1024, "1KiB"), ("1024B", 1024, "1KiB"), ("1500B", 1500, "1500B"), ("064KiB", 65_536, "64KiB"),
        ("256KiB", 262_144, "256KiB"),
    ])
    func readsSizes(text: String, bytes: Int, written: String) throws {
        let configuration = try http("max_head_size: \(text)").get()
        #expect(configuration.routes[0].http.maxHeadSize == bytes)
        #expect(try configuration.yaml.contains("max_head_size: \(written)\n"))
    }

    @Test(arguments: [
        ("65536", "expected a size such as 64KiB, found '65536' without a unit (B, KiB, MiB or GiB)"),
        ("64k", "expected a size such as 64KiB, found '64k'; did you mean '64KiB'?"),
        ("64 KB", "expected a size such as 64KiB, found '64 KB'; did you mean '64KiB'?"),
        ("64kib", "expected a size such as 64KiB, found '64kib'; did you mean '64KiB'?"),
        ("1M", "expected a size such as 64KiB, found '1M'"), ("-1KiB", "expected a size such as 64KiB, found '-1KiB'"),
        ("1.5KiB", "expected a size such as 64KiB, found '1.5KiB'"),
        ("KiB", "expected a size such as 64KiB, found 'KiB'"),
        ("1MiB", "'1MiB' is more than the most possible, 256KiB"),
        ("99999999999999999999GiB", "'99999999999999999999GiB' is more than the most possible, 256KiB"),
        ("9223372036854775807GiB", "'9223372036854775807GiB' is more than the most possible, 256KiB"),
        ("1023B", "'1023B' is less than the least possible, 1KiB"),
        ("0KiB", "'0KiB' is less than the least possible, 1KiB"),
    ])
    func refusesOtherSizes(text: String, message: String) {
        #expect(http("max_head_size: \(text)").errorText == "config.yaml:1:79: \(message)")
    }

    @Test(arguments: ["max_fields: 0", "max_fields: 10001", "max_target_length: 255B", "head_timeout: 0s"])
    func refusesWhatIsOutOfRange(setting: String) {
        #expect(http(setting).errorText != "")
    }

    // MARK: Where it may stand

    @Test func needsARouteOfHTTP() {
        let message = "'http' has no effect without 'protocol: http' in the same route"
        #expect(
            load(yaml: "routes: [{ listen: 80, upstream: 8000, http: { host: upstream } }]").errorText
                == "config.yaml:1:46: \(message)")
        #expect(
            load(yaml: "routes: [{ http: {}, listen: 80, upstream: 8000, protocol: tcp }]").errorText
                == "config.yaml:1:18: \(message)")
        // Some routes may have use for it.
        #expect(
            load(yaml: "defaults: { http: { host: upstream } }\nroutes: [{ listen: 80, upstream: 8000 }]").errorText
                == "")
        #expect(
            load(yaml: "routes: [{ listen: 80, upstream: 8000, host: upstream }]").errorText
                == "config.yaml:1:40: unknown key 'host' in a route; it belongs in 'http'")
    }
}

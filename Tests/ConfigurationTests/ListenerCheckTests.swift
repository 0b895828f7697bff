import Configuration
import Network
import Testing

@Suite struct ListenerCheckTests {
    /// The errors of routes that are given as file entries of listen and upstream.
    private func check(_ routes: [(listen: String, upstream: String)]) -> String {
        let lines = routes.map { "- listen: [\($0.listen)]\n  upstream: \"\($0.upstream)\"\n" }
        return load(yaml: "routes:\n" + lines.joined()).errorText
    }

    static let clashes: [(first: (String, String), second: (String, String), message: String)] = [
        (("8080", "8000"), ("8080", "9000"), "0.0.0.0:8080 is listened on twice"),
        (("'[::]:8080'", "8000"), ("8080", "9000"), "[::]:8080 is listened on twice"),
        (("127.0.0.1:8080", "8000"), ("127.0.0.1:8080", "9000"), "127.0.0.1:8080 is listened on twice"),
        (("0.0.0.0:8080", "8000"), ("127.0.0.1:8080", "9000"), "127.0.0.1:8080 overlaps 0.0.0.0:8080"),
        (("192.0.2.1:8080", "8000"), ("0.0.0.0:8080", "9000"), "0.0.0.0:8080 overlaps 192.0.2.1:8080"),
        (("'[2001:db8::1]:80'", "8000"), ("80", "9000"), "[::]:80 overlaps [2001:db8::1]:80"),
        (("8000", "8000"), ("8000", "8000"), "every non-loopback address on port 8000 is listened on twice"),
        (
            ("8000", "8000"), ("0.0.0.0:8000", "8000"),
            "every non-loopback IPv4 address on port 8000 overlaps every non-loopback address on port 8000"
        ),
        (
            ("8000", "8000"), ("0.0.0.0:8000", "9000"),
            "0.0.0.0:8000 overlaps every non-loopback address on port 8000"
        ),
        (
            ("8000", "9000"), ("'[::]:8000'", "8000"),
            "every non-loopback IPv6 address on port 8000 overlaps [::]:8000"
        ),
        (
            ("8000", "8000"), ("192.0.2.1:8000", "9000"),
            "192.0.2.1:8000 overlaps every non-loopback address on port 8000"
        ),
        (
            ("192.0.2.1:8000", "9000"), ("0.0.0.0:8000", "8000"),
            "every non-loopback IPv4 address on port 8000 overlaps 192.0.2.1:8000"
        ),
    ]

    @Test(arguments: clashes)
    func reportsOverlap(first: (String, String), second: (String, String), message: String) {
        #expect(
            check([first, second])
                == "config.yaml:4:12: \(message)\n    note: the other is at config.yaml:2:12")
    }

    @Test(arguments: [
        [("0.0.0.0:8080", "8000"), ("'[::]:8080'", "9000")],
        [("127.0.0.1:8080", "8000"), ("127.0.0.2:8080", "9000")],
        [("127.0.0.1:8080", "8000"), ("'[::]:8080'", "9000")],
        [("8000", "8000"), ("127.0.0.9:8000", "9000")],
        [("8000", "8000"), ("'[fe80::1%2]:8000'", "9000")],
        [("0.0.0.0:8000", "8000"), ("'[::]:8000'", "8000")],
        [("'[fe80::1%2]:80'", "8000"), ("'[fe80::1%3]:80'", "9000")],
        [("0", "8000"), ("0, 127.0.0.1:0", "9000")],
        [("8080", "8000"), ("8081", "8000")],
    ])
    func allowsWhatTheKernelAllows(routes: [(String, String)]) {
        #expect(check(routes) == "")
    }

    @Test func reportsOverlapWithinARoute() {
        #expect(
            check([("8080, 127.0.0.1:8080", "8000")])
                == "config.yaml:2:18: 127.0.0.1:8080 overlaps 0.0.0.0:8080\n    note: the other is at config.yaml:2:12")
    }

    @Test func reportsOverlapOfArguments() {
        #expect(
            load(routes: ["8080:8000", "8080:9000"]).errorText
                == "route '8080:9000': 0.0.0.0:8080 is listened on twice\n    note: the other is at route '8080:8000'")
    }

    static let loops: [(routes: [(String, String)], expected: String)] = [
        ([("127.0.0.1:8000", "127.0.0.1:8000")], "3:13: upstream '127.0.0.1:8000' leads back to this route"),
        ([("'[::1]:8000'", "localhost:8000")], "3:13: upstream 'localhost:8000' leads back to this route"),
        ([("192.0.2.1:80", "192.0.2.1:80")], "3:13: upstream '192.0.2.1:80' leads back to this route"),
        (
            [("8080", "9090"), ("9090", "127.0.0.1:8080")],
            "3:13: upstream 'localhost:9090' leads back to this route through route '0.0.0.0:9090'"
        ),
        (
            [("80", "81"), ("81", "82"), ("82", "83"), ("83", "82")],
            "7:13: upstream 'localhost:83' leads back to this route through route '0.0.0.0:83'"
        ),
        (
            [("'[::]:81'", "82"), ("82", "[::1]:81")],
            "3:13: upstream 'localhost:82' leads back to this route through route '0.0.0.0:82'"
        ),
    ]

    @Test(arguments: loops) func reportsLoops(routes: [(String, String)], expected: String) {
        #expect(check(routes) == "config.yaml:\(expected)")
    }

    @Test func allowsChains() {
        #expect(check([("80", "81"), ("81", "82"), ("82", "83")]) == "")
        #expect(check([("8080", "192.0.2.7:8080")]) == "")
    }

    @Test func reportsDuplicateNames() {
        let yaml = """
            routes:
            - { name: web, listen: 8080, upstream: 8000 }
            - { name: api, listen: 8081, upstream: 8000 }
            - { name: web, listen: 8082, upstream: 8000 }
            """
        #expect(
            load(yaml: yaml).errorText
                == "config.yaml:4:11: duplicate route name 'web'\n    note: first at config.yaml:2:11")
    }

    @Test func keepsDefaultNamesUnique() throws {
        let routes = try load(routes: ["0:8000", "0:9000", "8080:8000"]).get().routes
        #expect(routes.map(\.name) == ["0.0.0.0:0", "0.0.0.0:0 (2)", "0.0.0.0:8080"])
    }

    /// The same-port rule holds for the file's addresses as it does for ROUTEs.
    @Test(arguments: [
        ("8000", "8000", "*:8000"),
        ("'*:8000'", "localhost:8000", "*:8000"),
        ("0.0.0.0:8000", "127.0.0.1:8000", "0.0.0.0:8000"),
        ("'[::]:8000'", "[::1]:8000", "[::]:8000"),
    ])
    func spreadsWildcards(listen: String, upstream: String, expected: String) throws {
        let route = try load(yaml: "routes: [{ listen: \(listen), upstream: \"\(upstream)\" }]").route
        guard case .everyNonLoopback(8000, _)? = route.listen.first, route.listen.count == 1 else {
            Issue.record("not spread: \(route.listen)")
            return
        }
        #expect(route.listen.first?.description == expected)
    }

    @Test(arguments: [("8000", "8001"), ("8000", "192.0.2.1:8000"), ("8000", "unix:/a")])
    func keepsOtherWildcards(listen: String, upstream: String) throws {
        let route = try load(yaml: "routes: [{ listen: \(listen), upstream: \"\(upstream)\" }]").route
        #expect(route.listen == [.address(.ip(.anyV4, port: 8000)), .address(.ip(.anyV6, port: 8000))])
    }
}

import Configuration
import Testing

/// A file whose only route is right, with more lines above it.
private func file(_ lines: String) -> String {
    "\(lines)\nroutes: [{ listen: 8080, upstream: 8000 }]\n"
}

/// A file with one route and another line in it, which stands at line 4.
private func route(_ line: String) -> String {
    "routes:\n  - listen: 8080\n    upstream: 8000\n    \(line)\n"
}

@Suite struct FileErrorTests {
    private static let routeKeys =
        "name, listen, upstream, protocol, hold, connect_timeout, idle_timeout, half_close_timeout, "
        + "max_connections, connect, upstream_connections, pool, source, per_client, allow, deny, proxy_protocol, tls or http"

    static let examples: [(yaml: String, expected: String)] = [
        // Keys.
        (route("holt: 10s"), "config.yaml:4:5: unknown key 'holt' in a route; did you mean 'hold'?"),
        (route("zzzzzz: 10s"), "config.yaml:4:5: unknown key 'zzzzzz' in a route; expected \(routeKeys)"),
        (file("drian: 5s"), "config.yaml:1:1: unknown key 'drian' at the top level; did you mean 'drain'?"),
        (file("log: { lvel: info }"), "config.yaml:1:8: unknown key 'lvel' in 'log'; did you mean 'level'?"),
        (
            file("defaults: { name: web }"),
            "config.yaml:1:13: unknown key 'name' in 'defaults'; it belongs in a route"
        ),
        (
            file("drain: 5s\ndrain: 6s"),
            "config.yaml:2:1: duplicate key 'drain' at the top level\n    note: first at config.yaml:1:1"
        ),
        (route("[a]: b"), "config.yaml:4:5: expected a key, found a list"),
        (file("~: b"), "config.yaml:1:1: expected a key, found nothing"),
        (
            "routes:\n  - listen: 8080\n",
            "config.yaml:2:5: missing key 'upstream' in a route\n    note: for example 'upstream: localhost:8000'"
        ),
        (
            "routes:\n  - upstream: 8080\n",
            "config.yaml:2:5: missing key 'listen' in a route\n    note: for example 'listen: 8080'"
        ),
        // Planned, and not silently ignored.
        (
            route("connect: firstbyte"),
            "config.yaml:4:14: expected accept or first_byte, found 'firstbyte'; did you mean 'first_byte'?"
        ),
        (
            route("upstream_connections: { max: 0 }"),
            "config.yaml:4:34: expected unlimited or a number from 1 to 1000000, found '0'"
        ),
        (
            route("upstream_connections: { maxi: 1 }"),
            "config.yaml:4:29: unknown key 'maxi' in 'upstream_connections'; did you mean 'max'?"
        ),
        (route("pool: { idel: 3 }"), "config.yaml:4:13: unknown key 'idel' in 'pool'; did you mean 'idle'?"),
        (
            route("proxy_protocol: { send: 2 }"),
            "config.yaml:4:29: expected off, v1 or v2, found '2'; did you mean 'v2'?"
        ),
        (
            route("per_client: { rate: 10 }"),
            "config.yaml:4:25: expected unlimited or a rate such as 10/s, 100/m or 1000/h, found '10'; did you mean '10/s'?"
        ),
        (
            route("per_client: { max_connection: 10 }"),
            "config.yaml:4:19: unknown key 'max_connection' in 'per_client'; did you mean 'max_connections'?"
        ),
        (
            route("allow: 10.0.0.1/8"),
            "config.yaml:4:12: '10.0.0.1/8' has bits behind its prefix; did you mean '10.0.0.0/8'?"
        ),
        (
            route("deny: ['::ffff:10.0.0.0/104']"),
            "config.yaml:4:12: '::ffff:10.0.0.0/104' is of IPv4-mapped IPv6 addresses; write '10.0.0.0/8'"
        ),
        (
            route("deny: [office]"),
            "config.yaml:4:12: expected an address block such as 10.0.0.0/8, found 'office'"
        ),
        (route("http: {}"), "config.yaml:4:11: 'http' has no effect without 'protocol: http' in the same route"),
        (route("protocol: sctp"), "config.yaml:4:15: expected tcp, http or udp, found 'sctp'"),
        (
            "routes: [{ listen: 'unix:a', upstream: 80 }]",
            "config.yaml:1:20: the path of a Unix socket must begin with '/', found 'a'"
        ),
        (
            "routes: [{ listen: { unix: '@a', mode: '0600' }, upstream: 80 }]",
            "config.yaml:1:40: an abstract name has no file, and so no mode, owner or group"
        ),
        (
            "routes: [{ listen: [unix:/a, { unix: /a, mode: 600 }], upstream: 80 }]",
            "config.yaml:1:30: unix:/a is listened on twice\n    note: the other is at config.yaml:1:21"
        ),
        // Types.
        (route("hold: [10s]"), "config.yaml:4:11: expected a duration such as 10s, found a list"),
        (route("hold: { a: b }"), "config.yaml:4:11: expected a duration such as 10s, found a mapping"),
        (route("hold:"), "config.yaml:4:10: expected a duration such as 10s, found nothing"),
        (file("log: info"), "config.yaml:1:6: expected a mapping, found 'info'"),
        (file("defaults: []"), "config.yaml:1:11: expected a mapping, found a list"),
        ("[]", "config.yaml:1:1: expected a mapping, found a list"),
        ("routes: { a: b }", "config.yaml:1:9: expected a list of routes, found a mapping"),
        ("routes:", "config.yaml:1:8: expected a list of routes, found nothing"),
        ("routes: [8000]", "config.yaml:1:10: expected a mapping, found '8000'"),
        // Values.
        (
            route("hold: 10"),
            "config.yaml:4:11: expected a duration such as 10s, found '10' without a unit (ms, s, m or h)"
        ),
        (file("workers: 0"), "config.yaml:1:10: expected auto or a number from 1 to 1024, found '0'"),
        (file("workers: 1025"), "config.yaml:1:10: expected auto or a number from 1 to 1024, found '1025'"),
        (file("workers: many"), "config.yaml:1:10: expected auto or a number from 1 to 1024, found 'many'"),
        (route("max_connections: 0"), "config.yaml:4:22: expected a number from 1 to 1000000, found '0'"),
        (route("max_connections: 1e3"), "config.yaml:4:22: expected a number from 1 to 1000000, found '1e3'"),
        (
            file("log: { level: inof }"),
            "config.yaml:1:15: expected debug, info, warning or error, found 'inof'; did you mean 'info'?"
        ),
        (file("log: { level: loud }"), "config.yaml:1:15: expected debug, info, warning or error, found 'loud'"),
        (file("log: { format: jsn }"), "config.yaml:1:16: expected text or json, found 'jsn'; did you mean 'json'?"),
        (
            file("log: { access: yes }"),
            "config.yaml:1:16: expected true or false, found 'yes'; did you mean 'true'?"
        ),
        (route("name: ''"), "config.yaml:4:11: expected a name of 1 to 100 characters, found ''"),
        (route(#"name: "a\e[31m""#), "config.yaml:4:11: a name must not contain control characters or line separators"),
        (
            file(#"drain: "\e[31mred""#),
            #"config.yaml:1:8: expected a duration such as 10s, found '\u{1B}[31mred'"#
        ),
        // Addresses.
        (
            "routes: [{ listen: web, upstream: 80 }]",
            "config.yaml:1:20: expected a port, ADDRESS:PORT, unix:/PATH or systemd:NAME, found 'web'"
        ),
        (
            "routes: [{ listen: [], upstream: 80 }]",
            "config.yaml:1:20: expected a port, ADDRESS:PORT, unix:/PATH or systemd:NAME, or a list of these, found an empty list"
        ),
        (
            "routes: [{ listen: { a: b }, upstream: 80 }]",
            "config.yaml:1:20: missing key 'unix' in 'listen'\n    note: for example 'unix: /run/web.sock'\n"
                + "config.yaml:1:22: unknown key 'a' in 'listen'; expected unix, mode, owner or group"
        ),
        (
            "routes: [{ listen: 'localhost:80', upstream: 8000 }]",
            "config.yaml:1:20: 'localhost' is no address to listen on; "
                + "expected an IPv4 address, an IPv6 address in brackets, or *"
        ),
        (
            "routes:\n- listen: 80\n  upstream: [::1]:8000\n",
            "config.yaml:3:14: this is not YAML; an IPv6 address needs quotes, as in '[::1]:8000'"
        ),
        (
            "routes:\n- listen: 80\n  upstream: [2001:db8::1]:8000\n",
            "config.yaml:3:26: this is not YAML; an IPv6 address needs quotes, as in '[::1]:8000'"
        ),
        (
            "routes:\n- listen: 80\n  upstream: [2001:db8::1]\n",
            "config.yaml:3:13: expected a port, HOST:PORT or unix:/PATH, found a list\n"
                + "    note: an IPv6 address needs quotes in YAML: \"[::1]:8000\""
        ),
        (
            "routes:\n- listen: 80\n  upstream: app:8000\n",
            "config.yaml:3:13: 'app' is no upstream host; "
                + "expected localhost, an IPv4 address, or an IPv6 address in brackets"
        ),
        (
            "routes:\n- listen: 80\n  upstream: '[::1]'\n",
            "config.yaml:3:13: expected a port, HOST:PORT or unix:/PATH, found '[::1]'"
        ),
        // The file as YAML.
        (
            "a: &x b\n",
            "config.yaml:1:4: anchors ('&name') are not supported; quote text that begins with '&'"
        ),
        (
            "routes:\n- upstream: 1\n  listen: *:80\n",
            "config.yaml:3:11: text that begins with '*', '&' or '!' needs quotes"
        ),
        ("routes:\n\t- a\n", "config.yaml:2:1: a tab cannot indent YAML; use spaces"),
    ]

    @Test(arguments: examples) func points(yaml: String, expected: String) {
        let errors = load(yaml: yaml).errorText.split(separator: "\n").sorted()
        #expect(errors == expected.split(separator: "\n").sorted())
    }

    @Test func reportsAllErrorsInOrder() {
        let yaml = """
            workers: none
            routes:
              - listen: 99999
                upstream: example.com:80
                hodl: 10s
              - listen: 8080
            drain: never
            """
        #expect(
            load(yaml: yaml, environment: ["LOOPBRIDGE_HOLD": "x"], options: ["drain": "y"]).errorText == """
                config.yaml:1:10: expected auto or a number from 1 to 1024, found 'none'
                config.yaml:3:13: port 99999 is not between 1 and 65535
                config.yaml:4:15: 'example.com' is no upstream host; expected localhost, an IPv4 address, \
                or an IPv6 address in brackets
                config.yaml:5:5: unknown key 'hodl' in a route; did you mean 'hold'?
                config.yaml:6:5: missing key 'upstream' in a route
                    note: for example 'upstream: localhost:8000'
                config.yaml:7:8: expected a duration such as 10s, found 'never'
                LOOPBRIDGE_HOLD: expected a duration such as 10s, found 'x'
                --drain: expected a duration such as 10s, found 'y'
                """)
    }

    @Test func saysWhyAFileCannotBeRead() {
        func fault(_ path: String) -> String {
            do throws(ConfigurationErrors) {
                _ = try ConfigurationFile(reading: path)
                return ""
            } catch {
                return error.description
            }
        }
        #expect(fault("/nowhere/config.yaml") == "/nowhere/config.yaml: no such file")
        #expect(fault("/") == "/: is a directory, not a file")
        #expect(fault("/dev/zero") == "/dev/zero: is larger than 1048576 bytes")
    }

    @Test func findsTheFile() throws {
        func find(_ option: String?, _ variable: String?, _ path: String) -> String {
            let environment = variable.map { ["LOOPBRIDGE_CONFIG": $0] } ?? [:]
            do throws(ConfigurationErrors) {
                return try ConfigurationFile.find(option: option, environment: environment, defaultPath: path)?.path
                    ?? "none"
            } catch {
                return error.description
            }
        }
        #expect(find(nil, nil, "/nowhere") == "none")
        #expect(find(nil, "", "/nowhere") == "none")
        #expect(find(nil, nil, "/") == "/: is a directory, not a file")
        #expect(find(nil, nil, "/dev/null") == "/dev/null")
        #expect(find(nil, "/nowhere/a", "/dev/null") == "/nowhere/a: no such file")
        #expect(find("/nowhere/b", "/dev/null", "/dev/null") == "/nowhere/b: no such file")
        #expect(find("/dev/null", "/nowhere/a", "/nowhere") == "/dev/null")
    }
}

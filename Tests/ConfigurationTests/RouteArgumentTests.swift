import Configuration
import Network
import Testing

private func ip(_ text: String, _ port: UInt16, zone: UInt32 = 0) -> SocketAddress {
    guard let address = IPAddress(text) else { preconditionFailure("not an address: \(text)") }
    return .ip(address, port: port, zone: zone)
}

private func unix(_ path: String) -> ListenAddress {
    .unix(path: path, UnixSocketAccess())
}

private func bothWildcards(_ port: UInt16) -> [ListenAddress] {
    [.address(ip("0.0.0.0", port)), .address(ip("::", port))]
}

private func spread(_ port: UInt16, _ families: [IPAddress.Family] = [.v4, .v6]) -> [ListenAddress] {
    [.everyNonLoopback(port: port, families: families)]
}

@Suite struct RouteArgumentTests {
    typealias Good = (text: String, listen: [ListenAddress], upstream: UpstreamAddress)

    static let good: [Good] = [
        // The same port.
        ("8000", spread(8000), .localhost(port: 8000)),
        ("8000:8000", spread(8000), .localhost(port: 8000)),
        ("*:8000", spread(8000), .localhost(port: 8000)),
        ("*:8000:8000", spread(8000), .localhost(port: 8000)),
        ("localhost:8000", spread(8000), .localhost(port: 8000)),
        ("8000/tcp", spread(8000), .localhost(port: 8000)),
        ("8000/http", spread(8000), .localhost(port: 8000)),
        ("8000/udp", spread(8000), .localhost(port: 8000)),
        ("5353:53/udp", bothWildcards(5353), .localhost(port: 53)),
        ("1", spread(1), .localhost(port: 1)),
        ("65535", spread(65535), .localhost(port: 65535)),
        ("8000:localhost:8000", spread(8000), .localhost(port: 8000)),
        ("8000:127.0.0.1:8000", spread(8000), .address(ip("127.0.0.1", 8000))),
        ("8000:127.0.0.5:8000", spread(8000), .address(ip("127.0.0.5", 8000))),
        ("8000:[::1]:8000", spread(8000), .address(ip("::1", 8000))),
        ("0.0.0.0:8000:8000", spread(8000, [.v4]), .localhost(port: 8000)),
        ("0.0.0.0:8000:127.0.0.1:8000", spread(8000, [.v4]), .address(ip("127.0.0.1", 8000))),
        ("0.0.0.0:localhost:8000", spread(8000, [.v4]), .localhost(port: 8000)),
        ("[::]:8000:8000", spread(8000, [.v6]), .localhost(port: 8000)),
        ("[::]:8000:[::1]:8000", spread(8000, [.v6]), .address(ip("::1", 8000))),
        // Another port.
        ("8080:8000", bothWildcards(8080), .localhost(port: 8000)),
        ("8080:8000/tcp", bothWildcards(8080), .localhost(port: 8000)),
        ("*:8080:8000", bothWildcards(8080), .localhost(port: 8000)),
        ("8080:localhost:8000", bothWildcards(8080), .localhost(port: 8000)),
        ("*:8080:localhost:8000/tcp", bothWildcards(8080), .localhost(port: 8000)),
        ("0.0.0.0:8080:8000", [.address(ip("0.0.0.0", 8080))], .localhost(port: 8000)),
        ("[::]:8080:[::1]:8000", [.address(ip("::", 8080))], .address(ip("::1", 8000))),
        ("192.0.2.1:8080:8000", [.address(ip("192.0.2.1", 8080))], .localhost(port: 8000)),
        ("192.0.2.1:8000:8000", [.address(ip("192.0.2.1", 8000))], .localhost(port: 8000)),
        ("192.0.2.1:localhost:8000", [.address(ip("192.0.2.1", 8000))], .localhost(port: 8000)),
        ("127.0.0.1:9000:8000", [.address(ip("127.0.0.1", 9000))], .localhost(port: 8000)),
        ("[2001:db8::1]:8080:8000", [.address(ip("2001:db8::1", 8080))], .localhost(port: 8000)),
        ("[fe80::1%2]:8080:8000", [.address(ip("fe80::1", 8080, zone: 2))], .localhost(port: 8000)),
        // Elsewhere than on loopback a wildcard stays one.
        ("8000:192.0.2.7:8000", bothWildcards(8000), .address(ip("192.0.2.7", 8000))),
        ("8080:[2001:db8::7]:8000", bothWildcards(8080), .address(ip("2001:db8::7", 8000))),
        // Unix sockets.
        ("8080:unix:/run/app.sock", bothWildcards(8080), .address(.unix(path: "/run/app.sock"))),
        ("*:8080:unix:/run/a:b/tcp", bothWildcards(8080), .address(.unix(path: "/run/a:b/tcp"))),
        ("systemd:8000", [.inherited(name: nil)], .localhost(port: 8000)),
        ("systemd:localhost:8000/tcp", [.inherited(name: nil)], .localhost(port: 8000)),
        ("systemd:[::1]:8000", [.inherited(name: nil)], .address(ip("::1", 8000))),
        ("systemd:unix:/run/app.sock", [.inherited(name: nil)], .address(.unix(path: "/run/app.sock"))),
        ("systemd:web:8000", [.inherited(name: "web")], .localhost(port: 8000)),
        ("systemd:my.socket:127.0.0.1:8000", [.inherited(name: "my.socket")], .address(ip("127.0.0.1", 8000))),
        ("systemd:web:unix:@app", [.inherited(name: "web")], .address(.unix(path: "@app"))),
        ("8080:unix:@app", bothWildcards(8080), .address(.unix(path: "@app"))),
        ("unix:/run/web.sock:8000", [unix("/run/web.sock")], .localhost(port: 8000)),
        ("unix:@web:127.0.0.1:8000", [unix("@web")], .address(ip("127.0.0.1", 8000))),
        ("unix:/web:[::1]:8000/tcp", [unix("/web")], .address(ip("::1", 8000))),
        ("unix:/web:localhost:8000", [unix("/web")], .localhost(port: 8000)),
        ("unix:/web:unix:/run/a:b/tcp", [unix("/web")], .address(.unix(path: "/run/a:b/tcp"))),
        ("127.0.0.1:80:unix:/a", [.address(ip("127.0.0.1", 80))], .address(.unix(path: "/a"))),
        // The kernel chooses.
        ("0:8000", bothWildcards(0), .localhost(port: 8000)),
        ("127.0.0.1:0:8000", [.address(ip("127.0.0.1", 0))], .localhost(port: 8000)),
    ]

    @Test(arguments: good) func reads(_ example: Good) throws {
        let route = try load(routes: [example.text]).route
        #expect(route.listen == example.listen)
        #expect(route.upstream == example.upstream)
        #expect(route.name == example.listen[0].description + (example.text.hasSuffix("/udp") ? "/udp" : ""))
    }

    @Test(arguments: [
        ("8000", RouteProtocol.tcp), ("8000/tcp", .tcp), ("8000/http", .http), ("8080:8000/http", .http),
        ("0.0.0.0:8000:[::1]:8000/http", .http), ("8080:unix:/run/http", .tcp),
        ("unix:/run/web.sock:8000/http", .http),
    ])
    func readsTheProtocol(text: String, expected: RouteProtocol) throws {
        #expect(try load(routes: [text]).route.protocol == expected)
    }

    private static let hosts = "expected localhost, an IPv4 address, or an IPv6 address in brackets"
    private static let listenHosts = "expected an IPv4 address, an IPv6 address in brackets, or *"
    private static let zones = "must be an interface's number behind a link-local address"
    private static let ambiguous = "may be the address to listen on or the upstream's"
    private static let form = "expected [LISTEN_ADDRESS:][LISTEN_PORT:][UPSTREAM_HOST:]UPSTREAM_PORT"

    static let bad: [(text: String, message: String)] = [
        ("80800:8000", "port 80800 is not between 1 and 65535"),
        ("8080:80000", "port 80000 is not between 1 and 65535"),
        ("65536", "port 65536 is not between 1 and 65535"),
        ("0", "port 0 is not between 1 and 65535"),
        ("8080:0", "port 0 is not between 1 and 65535"),
        ("99999999999999999999999", "port 99999999999999999999 is not between 1 and 65535"),
        ("", "expected a ROUTE such as 8080:8000, found nothing"),
        ("web", "expected a port, found 'web'"),
        ("-1", "expected a port, found '-1'"),
        ("8080:web", "expected a port, found 'web'"),
        ("8080:localhost", "expected a port, found 'localhost'"),
        ("8080:*", "expected a port, found '*'"),
        ("8080:127.0.0.1", "expected a port, found '127.0.0.1'"),
        ("8080:[::1]", "expected a port, found '[::1]'"),
        (":8000", "a part of ':8000' is empty"),
        ("8080:", "a part of '8080:' is empty"),
        ("8080::8000", "an IPv6 address needs brackets, as in '[::1]:8000'"),
        ("::1:8000", "an IPv6 address needs brackets, as in '[::1]:8000'"),
        ("8080:example.com:8000", "'example.com' is no upstream host; \(hosts)"),
        ("8080:127.0.0.256:8000", "'127.0.0.256' is no upstream host; \(hosts)"),
        ("8080:127.1:8000", "'127.1' is no upstream host; \(hosts)"),
        ("8080:0.0.0.0:8000", "'0.0.0.0' is no upstream host; \(hosts)"),
        ("8080:[::]:8000", "'[::]' is no upstream host; \(hosts)"),
        ("8080:*:8000", "'*' is no upstream host; \(hosts)"),
        ("8080:8000:9000", "'8000' is no upstream host; \(hosts)"),
        ("example.com:8080:8000", "'example.com' is neither a port nor an address; \(hosts)"),
        ("8000-8010:9000", "'8000-8010' is neither a port nor an address; \(hosts)"),
        ("localhost:8080:8000", "'localhost' is no address to listen on; \(listenHosts)"),
        ("[::1:8000", "the bracket in '[::1:8000' is not closed"),
        ("[::1]8000", "expected ':' behind '[::1]'"),
        ("[127.0.0.1]:80:8000", "'[127.0.0.1]' is not an IPv6 address"),
        ("[zz]:80:8000", "'[zz]' is not an IPv6 address"),
        ("[]:80:8000", "'[]' is not an IPv6 address"),
        ("[::ffff:127.0.0.1]:80:8000", "'[::ffff:127.0.0.1]' is an IPv4-mapped IPv6 address; write '127.0.0.1'"),
        ("[fe80::1%eth0]:80:8000", "the zone in '[fe80::1%eth0]' \(zones)"),
        ("[2001:db8::1%2]:80:8000", "the zone in '[2001:db8::1%2]' \(zones)"),
        ("192.0.2.1:8000", "'192.0.2.1' \(ambiguous); write '192.0.2.1:8000:8000' or '8000:192.0.2.1:8000'"),
        ("[::1]:8000", "'[::1]' \(ambiguous); write '[::1]:8000:8000' or '8000:[::1]:8000'"),
        ("0.0.0.0:80:localhost:8000:9", "'8000' is one part too many; \(form)"),
        ("8080:8000/tpc", "expected tcp, http or udp, found 'tpc'; did you mean 'tcp'?"),
        ("8080:8000/https", "expected tcp, http or udp, found 'https'; did you mean 'http'?"),
        ("8080:8000/HTTP", "expected tcp, http or udp, found 'HTTP'; did you mean 'http'?"),
        ("8080:8000/", "expected tcp, http or udp, found ''"),
        (
            "unix:/run/app.sock",
            "a Unix socket needs an upstream behind it, as in 'unix:/run/web.sock:8000', "
                + "or a port to listen on, as in '8080:unix:/run/app.sock'"
        ),
        ("systemd:web", "expected a port, HOST:PORT or unix:/PATH, found 'web'"),
        ("systemd:", "a part of '' is empty"),
        (
            "systemd:wéb:8000",
            "the name of an inherited socket has 1 to 255 ASCII characters and no colon, found 'wéb'"
        ),
        ("unix:web.sock:8000", "the path of a Unix socket must begin with '/', found 'web.sock'"),
        ("unix:/a:", "a part of '' is empty"),
        (
            "unix:/a:8080:8000",
            "'8080' is no upstream host; expected localhost, an IPv4 address, or an IPv6 address in brackets"
        ),
        ("unix:/a:8000/tpc", "expected tcp, http or udp, found 'tpc'; did you mean 'tcp'?"),
        ("unix:@:8000", "the abstract name of a Unix socket has 1 to 107 bytes, found 0"),
        ("unix:/a:unix:/a", "upstream 'unix:/a' leads back to this route"),
        ("unix:@a:unix:@a", "upstream 'unix:@a' leads back to this route"),
        (
            "8080:unix:@" + String(repeating: "x", count: 108),
            "the abstract name of a Unix socket has 1 to 107 bytes, found 108"
        ),
        ("8080:unix:app.sock", "the path of a Unix socket must begin with '/', found 'app.sock'"),
        ("8080:unix:", "the path of a Unix socket must begin with '/', found ''"),
        ("8080:localhost:unix:/a", "'localhost' is one part too many; \(form)"),
        (
            "8080:unix:/" + String(repeating: "x", count: 107),
            "the path of a Unix socket has at most 107 bytes, found 108"
        ),
        ("127.0.0.1:8000:127.0.0.1:8000", "upstream '127.0.0.1:8000' leads back to this route"),
        ("127.0.0.1:8000:8000", "upstream 'localhost:8000' leads back to this route"),
        ("[::1]:8000:localhost:8000", "upstream 'localhost:8000' leads back to this route"),
    ]

    @Test(arguments: bad) func refuses(text: String, message: String) {
        let shown = text.count > 60 ? text.prefix(60) + "…" : text[...]
        #expect(load(routes: [text]).errorText == "route '\(shown)': \(message)")
    }

    @Test func showsTextHarmlessly() {
        #expect(
            load(routes: ["8080:unix:/a\u{0}b"]).errorText
                == #"route '8080:unix:/a\0b': the path of a Unix socket has no NUL byte"#)
        #expect(
            load(routes: ["\u{1B}[31m\u{202E}"]).errorText
                == #"route '\u{1B}[31m\u{202E}': expected a port, found '\u{1B}[31m\u{202E}'"#)
    }
}

import HTTP1
import Testing

@Suite struct RequestWritingTests {
    private let forwarded = [
        "X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: http", "X-Forwarded-Host: a",
        "Forwarded: for=192.0.2.7;host=a;proto=http",
    ]

    @Test func keepsOrderCaseDuplicatesAndBlanks() {
        let kept = ["GET /x?y HTTP/1.1", "X-B: 1", "hOST:  a ", "x-b: 2", "X-A:", "Cookie: c=d", "Via: 1.0 e"]
        let request = Array((kept + ["", ""]).joined(separator: "\r\n").utf8)
        #expect(ForwardedRequest()(request) == kept + forwarded)
    }

    @Test func leavesOutWhatBelongsToTheConnection() {
        let request = lines(
            "POST / HTTP/1.1", "Host: a", "Connection: keep-alive, X-Mine, te", "Keep-Alive: timeout=5", "X-Mine: 1",
            "Proxy-Connection: keep-alive", "TE: trailers", "Trailer: X", "Transfer-Encoding: chunked",
            "Proxy-Authorization: Basic x", "Proxy: http://evil/", "Upgrade: h2c", "HTTP2-Settings: x", "Y: 1")
        #expect(
            ForwardedRequest()(request)
                == ["POST / HTTP/1.1", "Host: a", "Trailer: X", "Transfer-Encoding: chunked", "Y: 1"] + forwarded)
    }

    @Test(arguments: ["Host", "Content-Length", "Transfer-Encoding", "X-Forwarded-For"])
    func connectionTakesNothingEssentialAway(name: String) {
        let request = lines("POST / HTTP/1.1", "Host: a", "Connection: \(name)", "Content-Length: 3")
        #expect(ForwardedRequest()(request) == ["POST / HTTP/1.1", "Host: a", "Content-Length: 3"] + forwarded)
    }

    @Test func connectionMayNameKnownFields() {
        let request = lines("GET / HTTP/1.1", "Host: a", "connection: COOKIE", "Cookie: b", "Origin: null")
        #expect(ForwardedRequest()(request) == ["GET / HTTP/1.1", "Host: a", "Origin: null"] + forwarded)
    }

    @Test func leavesOutNamesThatDifferByUnderscores() {
        let request = lines(
            "POST / HTTP/1.1", "Host: a", "Content_Length: 5", "X_Forwarded_For: 1.2.3.4", "Transfer_encoding: chunked",
            "X_Forwarded_Anything_That_Is_Very_Long: 1", "x_mine: 1")
        #expect(ForwardedRequest()(request) == ["POST / HTTP/1.1", "Host: a", "x_mine: 1"] + forwarded)
    }

    @Test func asksForTheConnectionToBeClosed() {
        let request = lines("GET / HTTP/1.1", "Host: a")
        #expect(ForwardedRequest(closes: true)(request)?.last == "Connection: close")
    }

    @Test func speaksHTTP11() {
        #expect(
            ForwardedRequest(upstream: "[::1]:80")(lines("GET /a HTTP/1.0", "X: 1"))
                == [
                    "GET /a HTTP/1.1", "Host: [::1]:80", "X: 1", "X-Forwarded-For: 192.0.2.7",
                    "X-Forwarded-Proto: http", "Forwarded: for=192.0.2.7;proto=http",
                ])
    }

    @Test func leavesOutTheEmptyLineBeforeTheRequest() {
        #expect(ForwardedRequest()(lines("", "GET / HTTP/1.1", "Host: a"))?.first == "GET / HTTP/1.1")
    }

    @Test(arguments: [
        ("GET", "http://b:81/c?d", "/c?d"), ("GET", "http://b:81", "/"), ("GET", "HTTPS://b:81?d", "/?d"),
        ("OPTIONS", "http://b:81", "*"), ("OPTIONS", "http://b:81/", "/"), ("OPTIONS", "*", "*"),
    ])
    func makesAPathOfAURL(method: String, target: String, path: String) {
        let lines = ForwardedRequest()(lines("\(method) \(target) HTTP/1.1", "Host: a"))
        #expect(lines?[0] == "\(method) \(path) HTTP/1.1")
        #expect(lines?[1] == (target == "*" ? "Host: a" : "Host: b:81"))
    }

    @Test func writesTheFramingAsItWasUnderstood() {
        #expect(
            ForwardedRequest().fields("Content-Length", of: lines("PUT / HTTP/1.1", "Host: a", "content-length: 0010 "))
                == ["content-length: 10"])
        #expect(
            ForwardedRequest().fields("Content-Length", of: lines("PUT / HTTP/1.1", "Host: a", "Content-Length: 000"))
                == ["Content-Length: 0"])
        #expect(
            ForwardedRequest().fields(
                "Transfer-Encoding", of: lines("PUT / HTTP/1.1", "Host: a", "Transfer-Encoding:CHUNKED"))
                == ["Transfer-Encoding:chunked"])
    }

    @Test func passesAnUpgradeToWebSocketOn() {
        let request = lines(
            "GET / HTTP/1.1", "Host: a", "Connection: keep-alive, Upgrade", "Upgrade: websocket",
            "Sec-WebSocket-Version: 13")
        #expect(
            ForwardedRequest()(request)
                == ["GET / HTTP/1.1", "Host: a", "Upgrade: websocket", "Sec-WebSocket-Version: 13"] + forwarded
                + ["Connection: Upgrade"])
    }

    @Test func passesAnExpectationOnUnlessItWasAnswered() {
        let request = lines("PUT / HTTP/1.1", "Host: a", "Expect: 100-continue", "Content-Length: 1")
        #expect(ForwardedRequest().fields("Expect", of: request) == ["Expect: 100-continue"])
        #expect(ForwardedRequest(passesExpectation: false).fields("Expect", of: request) == [])
        let old = lines("PUT / HTTP/1.0", "Host: a", "Expect: 100-continue", "Content-Length: 1")
        #expect(ForwardedRequest().fields("Expect", of: old) == [])
    }
}

@Suite struct ForwardedFieldTests {
    private let names = ["X-Forwarded", "X-Real", "Forwarded"]

    private func fields(of lines: [String]?) -> [String]? {
        lines?.filter { line in names.contains { line.hasPrefix($0) } }
    }

    @Test func believesNobody() {
        let request = lines(
            "GET / HTTP/1.1", "Host: a", "X-Forwarded-For: 1.1.1.1", "x-forwarded-for: 2.2.2.2",
            "X-Forwarded-Proto: https", "X-Forwarded-Host: evil", "X-Forwarded-Port: 1", "X-Forwarded-Prefix: /x",
            "X-Real-IP: 3.3.3.3", "Forwarded: for=4.4.4.4")
        #expect(
            fields(of: ForwardedRequest()(request))
                == [
                    "X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: http", "X-Forwarded-Host: a",
                    "Forwarded: for=192.0.2.7;host=a;proto=http",
                ])
    }

    @Test func addsToWhatATrustedSenderSays() {
        let request = lines(
            "GET / HTTP/1.1", "Host: a", "X-Forwarded-For: 1.1.1.1", "X-Forwarded-For: 2.2.2.2 ",
            "X-Forwarded-Proto: https", "X-Forwarded-Host: b", "X-Forwarded-Port: 443", "X-Real-IP: 1.1.1.1",
            "Forwarded: for=1.1.1.1")
        #expect(
            fields(of: ForwardedRequest(isTrusted: true)(request))
                == [
                    "X-Forwarded-For: 1.1.1.1", "X-Forwarded-For: 2.2.2.2, 192.0.2.7", "X-Forwarded-Proto: https",
                    "X-Forwarded-Host: b", "X-Forwarded-Port: 443", "X-Real-IP: 1.1.1.1",
                    "Forwarded: for=1.1.1.1, for=192.0.2.7;host=a;proto=http",
                ])
    }

    @Test func addsToAnEmptyList() {
        let request = lines("GET / HTTP/1.1", "Host: a", "X-Forwarded-For:")
        #expect(fields(of: ForwardedRequest(isTrusted: true)(request))?.first == "X-Forwarded-For:192.0.2.7")
    }

    @Test func startsWhereATrustedSenderSaysNothing() {
        #expect(
            fields(
                of: ForwardedRequest(address: "2001:db8::7", scheme: .https, isTrusted: true)(
                    lines("GET / HTTP/1.1", "Host: [::1]:8443")))
                == [
                    "X-Forwarded-For: 2001:db8::7", "X-Forwarded-Proto: https", "X-Forwarded-Host: [::1]:8443",
                    "Forwarded: for=\"[2001:db8::7]\";host=\"[::1]:8443\";proto=https",
                ])
    }

    @Test func speaksTheTrustedSendersLanguage() {
        let old = lines("GET / HTTP/1.1", "Host: a", "X-Forwarded-For: 1.1.1.1")
        #expect(
            fields(of: ForwardedRequest(isTrusted: true)(old))
                == ["X-Forwarded-For: 1.1.1.1, 192.0.2.7", "X-Forwarded-Proto: http", "X-Forwarded-Host: a"])
        let new = lines("GET / HTTP/1.1", "Host: a", "Forwarded: for=1.1.1.1;proto=https")
        #expect(
            fields(of: ForwardedRequest(isTrusted: true)(new))
                == ["Forwarded: for=1.1.1.1;proto=https, for=192.0.2.7;host=a;proto=http"])
    }

    @Test func namesASenderWithoutAddress() {
        #expect(
            ForwardedRequest(address: "")(lines("GET / HTTP/1.1", "Host: a"))?.last
                == "Forwarded: for=unknown;host=a;proto=http")
    }
}

@Suite struct HostChoiceTests {
    private let request = lines(
        "POST / HTTP/1.1", "Host: app.example:8080", "Origin: http://APP.example:8080",
        "Referer: https://app.example:8080/login?x")

    @Test func preserves() {
        #expect(
            ForwardedRequest().fields("Host", "Origin", "Referer", of: request)
                == [
                    "Host: app.example:8080", "Origin: http://APP.example:8080",
                    "Referer: https://app.example:8080/login?x",
                ])
    }

    @Test func namesTheUpstreamAndWhatFollowsFromIt() {
        #expect(
            ForwardedRequest(host: .upstream).fields("Host", "Origin", "Referer", "X-Forwarded-Host", of: request)
                == [
                    "Host: localhost:8000", "Origin: http://localhost:8000", "Referer: http://localhost:8000/login?x",
                    "X-Forwarded-Host: app.example:8080",
                ])
    }

    @Test func namesAnother() {
        #expect(
            ForwardedRequest(host: .name(Array("b".utf8))).fields("Host", "Origin", of: request)
                == ["Host: b", "Origin: http://APP.example:8080"])
    }

    @Test(arguments: [
        ("null", "null"), ("http://evil.example", "http://evil.example"),
        ("http://app.example:8081", "http://app.example:8081"), ("http://app.example", "http://app.example"),
        ("http://app.example:8080.evil", "http://app.example:8080.evil"),
        ("http://app.example:8080@evil", "http://app.example:8080@evil"),
        ("http://evil/http://app.example:8080", "http://evil/http://app.example:8080"),
        ("//app.example:8080", "//app.example:8080"), ("http://app.example:8080", "http://localhost:8000"),
        ("ws://app.example:8080", "ws://app.example:8080"),
    ])
    func changesOnlyTheClientsOwnOrigin(origin: String, expected: String) {
        let request = lines("POST / HTTP/1.1", "Host: app.example:8080", "Origin: \(origin)")
        #expect(ForwardedRequest(host: .upstream).fields("Origin", of: request) == ["Origin: \(expected)"])
    }

    @Test(arguments: [
        ("a", "http://a", true), ("a", "http://a:80", true), ("a:80", "http://a", true), ("a:443", "https://a", true),
        ("a:443", "http://a", false), ("a", "https://a", true), ("a:", "http://a", true),
    ])
    func knowsThePortsThatAreLeftOut(host: String, origin: String, isSame: Bool) {
        let request = lines("POST / HTTP/1.1", "Host: \(host)", "Origin: \(origin)")
        #expect(
            ForwardedRequest(host: .upstream).fields("Origin", of: request)
                == [isSame ? "Origin: http://localhost:8000" : "Origin: \(origin)"])
    }

    @Test func comparesWithTheHostThatATrustedSenderTells() {
        let request = lines(
            "POST / HTTP/1.1", "Host: inner", "X-Forwarded-Host: outer", "X-Forwarded-Proto: https",
            "Origin: https://outer")
        #expect(
            ForwardedRequest(host: .upstream, isTrusted: true).fields("Origin", of: request)
                == ["Origin: http://localhost:8000"])
        #expect(ForwardedRequest(host: .upstream).fields("Origin", of: request) == ["Origin: https://outer"])
    }

    @Test func tellsTheClientsOrigin() {
        let request = lines(
            "GET / HTTP/1.1", "Host: inner:81", "X-Forwarded-Host: outer, inner", "X-Forwarded-Proto: https, http")
        var parser = RequestParser()
        _ = parser.parse(request.span)
        for (isTrusted, expected) in [
            (true, ClientOrigin(scheme: .https, authority: Array("outer".utf8))),
            (false, ClientOrigin(scheme: .http, authority: Array("inner:81".utf8))),
        ] {
            let sender = Sender(address: [], scheme: .http, isTrusted: isTrusted)
            #expect(parser.head.clientOrigin(request.span, from: sender) == expected)
        }
    }
}

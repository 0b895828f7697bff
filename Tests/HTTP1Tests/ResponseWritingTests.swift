import HTTP1
import Testing

/// What the client gets of a response: its lines without the empty one; nil when the response is refused.
private func written(
    _ response: [UInt8], to version: Version = .http11, closes: Bool = false, rewriting: OriginRewriting? = nil,
    answering method: HTTP1.Method = .get
) -> [String]? {
    var parser = ResponseParser(answering: method)
    guard case .complete = parser.parse(response.span) else { return nil }
    var output: [UInt8] = []
    parser.head.write(
        response.span, for: ResponseForwarding(clientVersion: version, closes: closes, rewriting: rewriting),
        into: &output)
    let text = String(decoding: output, as: UTF8.self)
    guard text.hasSuffix("\r\n\r\n") else { return nil }
    return text.dropLast(2).split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
}

@Suite struct ResponseWritingTests {
    @Test func keepsOrderCaseDuplicatesAndBlanks() {
        let kept = [
            "HTTP/1.1 200 Fine", "Set-Cookie: a=b", "dATE:  x ", "set-cookie: c=d; Domain=localhost", "Server:",
            "Location: http://localhost:8000/", "Content-Length: 3",
        ]
        #expect(written(Array((kept + ["", ""]).joined(separator: "\r\n").utf8)) == kept)
    }

    @Test func leavesOutWhatBelongsToTheConnection() {
        let response = lines(
            "HTTP/1.1 200 OK", "Connection: X-Mine, close", "X-Mine: 1", "Keep-Alive: timeout=5", "Upgrade: h2c",
            "Proxy-Authenticate: Basic", "Transfer-Encoding: chunked", "Trailer: X", "Y: 1")
        #expect(
            written(response) == ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "Trailer: X", "Y: 1"])
    }

    @Test func tellsWhatBecomesOfTheConnection() {
        let response = lines("HTTP/1.1 200 OK", "Content-Length: 3")
        #expect(written(response, closes: true)?.last == "Connection: close")
        #expect(written(response)?.last == "Content-Length: 3")
        #expect(written(response, to: .http10)?.last == "Connection: keep-alive")
        #expect(written(response, to: .http10, closes: true)?.last == "Connection: close")
    }

    @Test func speaksHTTP11AndMendsTheStatusLine() {
        #expect(written(lines("HTTP/1.0 200 OK"), closes: true) == ["HTTP/1.1 200 OK", "Connection: close"])
        #expect(written(lines("HTTP/1.1 404", "Content-Length: 0")) == ["HTTP/1.1 404 ", "Content-Length: 0"])
    }

    @Test func sendsNoFramingWhereThereIsNoBody() {
        for status in [204, 103] {
            let response = lines("HTTP/1.1 \(status) X", "Content-Length: 0", "Y: 1")
            #expect(written(response) == ["HTTP/1.1 \(status) X", "Y: 1"])
        }
        #expect(
            written(lines("HTTP/1.1 304 X", "Content-Length: 7"))
                == ["HTTP/1.1 304 X", "Content-Length: 7"])
        #expect(
            written(lines("HTTP/1.1 200 X", "Content-Length: 7"), answering: .head)
                == ["HTTP/1.1 200 X", "Content-Length: 7"])
    }

    @Test func sendsNoChunksToHTTP10() {
        let response = lines("HTTP/1.1 200 X", "Transfer-Encoding: chunked", "Trailer: Y")
        #expect(written(response, to: .http10, closes: true) == ["HTTP/1.1 200 X", "Connection: close"])
        var parser = ResponseParser()
        _ = parser.parse(response.span)
        #expect(parser.head.output(for: ResponseForwarding(clientVersion: .http10, closes: true)) == .payloadOnly)
        #expect(parser.head.output(for: ResponseForwarding(clientVersion: .http11, closes: true)) == .sameFraming)
    }

    @Test func putsABodyWithoutALengthInChunksWhereTheConnectionStays() {
        let response = lines("HTTP/1.0 200 X", "Y: 1")
        #expect(written(response) == ["HTTP/1.1 200 X", "Y: 1", "Transfer-Encoding: chunked"])
        #expect(written(response, closes: true) == ["HTTP/1.1 200 X", "Y: 1", "Connection: close"])
        #expect(written(response, to: .http10, closes: true) == ["HTTP/1.1 200 X", "Y: 1", "Connection: close"])
        #expect(written(response, answering: .head) == ["HTTP/1.1 200 X", "Y: 1"])
        var parser = ResponseParser()
        _ = parser.parse(response.span)
        #expect(parser.head.output(for: ResponseForwarding(clientVersion: .http11, closes: false)) == .inChunks)
        #expect(parser.head.output(for: ResponseForwarding(clientVersion: .http11, closes: true)) == .sameFraming)
    }

    @Test func passesAChangeOfProtocolsOn() {
        #expect(
            written(lines("HTTP/1.1 101 X", "connection: upgrade", "Upgrade: websocket", "Sec-WebSocket-Accept: y"))
                == ["HTTP/1.1 101 X", "Upgrade: websocket", "Sec-WebSocket-Accept: y", "Connection: Upgrade"])
    }
}

@Suite struct OriginRewritingTests {
    private func field(
        _ name: String, _ value: String, client: String = "app.example:8080", scheme: Scheme = .http,
        upstream: String = "localhost:8000"
    ) -> String? {
        let rewriting = OriginRewriting(
            upstreamAuthority: Array(upstream.utf8),
            client: ClientOrigin(scheme: scheme, authority: Array(client.utf8)))
        let prefix = "\(name): "
        return written(lines("HTTP/1.1 302 Found", "\(name): \(value)", "Content-Length: 0"), rewriting: rewriting)?
            .first { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
    }

    @Test(arguments: [
        ("http://localhost:8000/login?next=/", "https://app.example/login?next=/"),
        ("http://LOCALHOST:8000", "https://app.example"), ("https://127.0.0.1:8000/a", "https://app.example/a"),
        ("http://127.1.2.3:8000#x", "https://app.example#x"), ("http://[::1]:8000?x", "https://app.example?x"),
        ("//localhost:8000/a", "//app.example/a"),
        // These are none of the app's.
        ("/login", "/login"), ("login", "login"), ("http://localhost/", "http://localhost/"),
        ("http://localhost:9000/", "http://localhost:9000/"), ("http://128.0.0.1:8000/", "http://128.0.0.1:8000/"),
        ("http://127.0.0.1.evil:8000/", "http://127.0.0.1.evil:8000/"),
        ("http://other.example/?u=http://localhost:8000/", "http://other.example/?u=http://localhost:8000/"),
        ("http://u@localhost:8000/", "http://u@localhost:8000/"), ("mailto:a@localhost", "mailto:a@localhost"),
    ])
    func locations(value: String, expected: String) {
        for name in ["Location", "Content-Location"] {
            #expect(field(name, value, client: "app.example", scheme: .https) == expected)
        }
    }

    @Test func onlyTheseFields() {
        #expect(field("Link", "<http://localhost:8000/>") == "<http://localhost:8000/>")
    }

    @Test func theUpstreamsOwnName() {
        #expect(field("Location", "http://backend:3000/x", upstream: "backend:3000") == "http://app.example:8080/x")
        #expect(field("Location", "http://localhost/x", upstream: "localhost") == "http://app.example:8080/x")
    }

    @Test(arguments: [
        ("5; url=http://localhost:8000/a", "5; url=http://app.example:8080/a"),
        ("5;URL='http://localhost:8000/a'", "5;URL='http://app.example:8080/a'"),
        ("5 ; url = \"http://127.0.0.1:8000\"", "5 ; url = \"http://app.example:8080\""),
        ("0, http://localhost:8000/", "0, http://app.example:8080/"), ("5", "5"), ("5; url=/a", "5; url=/a"),
        ("5; url", "5; url"), ("5;", "5;"),
    ])
    func refreshes(value: String, expected: String) {
        #expect(field("Refresh", value) == expected)
    }

    @Test(arguments: [
        ("a=b; Domain=localhost; Path=/", "a=b; Domain=app.example; Path=/"),
        ("a=b;domain=.localhost", "a=b;domain=app.example"), ("a=b; DOMAIN = 127.0.0.1", "a=b; DOMAIN = app.example"),
        ("a=b; Domain=other.example", "a=b; Domain=other.example"), ("a=b; Path=/localhost", "a=b; Path=/localhost"),
        ("domain=localhost", "domain=localhost"), ("a=b; Domain=", "a=b; Domain="), ("a=b", "a=b"),
        ("a=b; Domain=localhost; Domain=localhost", "a=b; Domain=app.example; Domain=app.example"),
    ])
    func cookies(value: String, expected: String) {
        #expect(field("Set-Cookie", value) == expected)
    }

    @Test func aCookieOfAnIPv6AddressHasNoDomain() {
        #expect(
            field("Set-Cookie", "a=b; Domain=localhost; Path=/", client: "[2001:db8::1]:80") == "a=b; Path=/")
    }
}

import HTTP1
import Testing

/// Every combination of versions, Connection fields and framing: whether the client's connection outlives the response.
@Suite struct PersistenceTests {
    /// What the client sends, and whether it allows another request.
    private static let requests: [([UInt8], keeps: Bool, Version)] = [
        (lines("GET / HTTP/1.1", "Host: a"), true, .http11),
        (lines("GET / HTTP/1.1", "Host: a", "Connection: keep-alive"), true, .http11),
        (lines("GET / HTTP/1.1", "Host: a", "Connection: close"), false, .http11),
        (lines("GET / HTTP/1.1", "Host: a", "Connection: keep-alive, close"), false, .http11),
        (lines("GET / HTTP/1.0"), false, .http10),
        (lines("GET / HTTP/1.0", "Connection: close"), false, .http10),
        (lines("GET / HTTP/1.0", "Connection: keep-alive"), true, .http10),
        (lines("GET / HTTP/1.0", "Connection: keep-alive, close"), false, .http10),
    ]

    /// Ways to end a body: the field, whether we can see the end, and whether a client of HTTP/1.0 can.
    private static let framings: [(field: String, hasEnd: Bool, in10: Bool)] = [
        ("Content-Length: 0", true, true), ("Content-Length: 5", true, true), ("X: 1", false, false),
        ("Transfer-Encoding: chunked", true, false),
    ]

    @Test func theClientsConnection() {
        for (request, keeps, version) in Self.requests {
            var parser = RequestParser()
            _ = parser.parse(request.span)
            #expect(parser.head.keepsAlive == keeps)
            for framing in Self.framings {
                // What the app does with its own connection is of no matter to the client's.
                for connection in ["Connection: close", "Connection: keep-alive", "Y: 1"] {
                    var responses = ResponseParser()
                    _ = responses.parse(lines("HTTP/1.1 200 OK", framing.field, connection).span)
                    // A client of HTTP/1.1 gets chunks where there is no length.
                    let endIsSeen = version == .http11 || framing.in10
                    let showsItsEnd = responses.head.framing.showsItsEnd(in: parser.head.version)
                    #expect((parser.head.keepsAlive && showsItsEnd) == (keeps && endIsSeen))
                }
            }
        }
    }

    @Test func theAppsConnection() {
        for (version, connection, keeps) in [
            ("1.1", "Y: 1", true), ("1.1", "Connection: close", false), ("1.1", "Connection: keep-alive", true),
            ("1.0", "Y: 1", false), ("1.0", "Connection: keep-alive", true), ("1.0", "Connection: close", false),
        ] {
            for framing in Self.framings where version == "1.1" || !framing.field.contains("chunked") {
                var parser = ResponseParser()
                _ = parser.parse(lines("HTTP/\(version) 200 OK", framing.field, connection).span)
                let expected = keeps && framing.hasEnd
                #expect(parser.head.keepsAlive == expected, "\(version) \(connection) \(framing.field)")
            }
        }
    }

    @Test func aParserServesOneHeadAfterTheOther() {
        let bytes = lines("GET /1 HTTP/1.1", "Host: a") + lines("GET /2 HTTP/1.0", "X: 1") + lines("GE")
        var parser = RequestParser()
        #expect(!parser.hasBegun)
        var rest = bytes[...]
        for (target, version) in [("/1", Version.http11), ("/2", .http10)] {
            let current = Array(rest)
            guard case .complete(let length) = parser.parse(current.span) else {
                Issue.record("no head")
                return
            }
            #expect(String(decoding: current[parser.head.targetRange], as: UTF8.self) == target)
            #expect(parser.head.version == version && parser.hasBegun)
            rest = rest.dropFirst(length)
            parser.reset()
            #expect(!parser.hasBegun)
        }
        #expect(parser.parse(Array(rest).span) == .invalid(.missingTarget))
    }

    @Test func saysWhatAPageForErrorsNeeds() {
        for (accept, isHTML) in [
            ("text/html,application/xhtml+xml,*/*;q=0.8", true), ("application/json", false), ("*/*", false),
            ("application/json, TEXT/HTML ;q=0.5", true), ("text/htmlx", false), ("", false),
        ] {
            let request = lines("GET / HTTP/1.1", "Host: a", "Accept: \(accept)")
            var parser = RequestParser()
            _ = parser.parse(request.span)
            #expect(parser.head.acceptsHTML(request.span) == isHTML, "\(accept)")
        }
        var parser = RequestParser()
        let refused = lines("HEAD /x HTTP/1.1", "Host : a")
        #expect(parser.parse(refused.span) == .invalid(.field(.blankBeforeColon)))
        #expect(parser.head.method == .head)
        #expect(String(decoding: refused[parser.head.requestLine], as: UTF8.self) == "HEAD /x HTTP/1.1")
    }

    @Test func bodiesOfOtherFramings() {
        let bytes = Array("hello world".utf8)
        var length = BodyScanner(.length(5))
        #expect(length.plainBytesAhead == 5)
        #expect(length.scan(bytes.span.extracting(0..<3), from: 0) == BodyStep(pass: 0..<3, next: 3, outcome: .goesOn))
        #expect(length.plainBytesAhead == 2 && !length.endsWithConnection)
        #expect(length.scan(bytes.span, from: 3) == BodyStep(pass: 3..<5, next: 5, outcome: .ended))
        var unseen = BodyScanner(.length(5))
        unseen.advance(by: 5)
        #expect(unseen.scan(bytes.span, from: 4) == BodyStep(pass: 4..<4, next: 4, outcome: .ended))
        #expect(unseen.payloadBytes == 5)
        var endless = BodyScanner(.untilClose)
        #expect(endless.scan(bytes.span, from: 0) == BodyStep(pass: 0..<11, next: 11, outcome: .goesOn))
        #expect(endless.endsWithConnection && endless.payloadBytes == 11 && endless.plainBytesAhead == .max)
        var none = BodyScanner(.none)
        #expect(none.scan(bytes.span, from: 2) == BodyStep(pass: 2..<2, next: 2, outcome: .ended))
        #expect(none.plainBytesAhead == 0 && none.trailerSection.isEmpty)
    }
}

import EventLoop
import Foundation
import FoundationXML
import Observability
import Testing

@testable import Proxy

@Suite struct ErrorPageTests {
    private static let hostile = "<script>alert(\"1\")</script> & 'x'\r\nSet-Cookie: a=b\u{0}\u{9B}ü🙂"
    private static let time = Timestamp(secondsSince1970: 784_111_777, milliseconds: 0)

    private func response(
        _ page: ErrorPage, as format: ErrorPage.Format = .html, headOnly: Bool = false, closes: Bool = false
    ) throws -> (head: [String], body: String) {
        var bytes: [UInt8] = []
        page.writeResponse(as: format, headOnly: headOnly, closes: closes, at: Self.time, into: &bytes)
        let text = try #require(String(validating: bytes, as: UTF8.self))
        let end = try #require(text.range(of: "\r\n\r\n"))
        return (text[..<end.lowerBound].components(separatedBy: "\r\n"), String(text[end.upperBound...]))
    }

    // MARK: The answer

    @Test func anAnswerHasAHead() throws {
        let page = ErrorPage.appNotListening("localhost:8000")
        let (head, body) = try response(page)
        #expect(
            head == [
                "HTTP/1.1 503 Service Unavailable", "Date: Sun, 06 Nov 1994 08:49:37 GMT",
                "Content-Type: text/html; charset=utf-8", "Content-Length: \(body.utf8.count)",
                "Cache-Control: no-store", "X-Content-Type-Options: nosniff", "Retry-After: 2",
                "Connection: keep-alive",
            ])
        #expect(Array(body.utf8) == page.html)
    }

    @Test func jsonSaysWhatItIs() throws {
        let (head, body) = try response(ErrorPage.appNotListening("localhost:8000"), as: .json, closes: true)
        #expect(head.contains("Content-Type: application/json"))
        #expect(head.contains("Content-Length: \(body.utf8.count)"))
        #expect(head.last == "Connection: close")
        #expect(body == "{\"status\":503,\"error\":\"The app at localhost:8000 is not listening yet.\"}\n")
    }

    /// As RFC 9110 section 9.3.2 has it: the same head, with the length of what would follow.
    @Test(arguments: [ErrorPage.Format.html, .json]) func anAnswerToHEADHasNoBody(format: ErrorPage.Format) throws {
        let page = ErrorPage.noAnswer("localhost:8000")
        let whole = try response(page, as: format)
        let (head, body) = try response(page, as: format, headOnly: true)
        #expect(head == whole.head && body.isEmpty && !whole.body.isEmpty)
    }

    @Test func anAnswerIsAddedToWhatIsThere() {
        var bytes = Array("before".utf8)
        ErrorPage.headTimeout(after: .seconds(10)).writeResponse(
            as: .json, headOnly: false, closes: true, into: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self).hasPrefix("beforeHTTP/1.1 408 Request Timeout\r\n"))
    }

    @Test(arguments: [
        (Duration.zero, 1), (.milliseconds(1), 1), (.seconds(1), 1), (.milliseconds(1001), 2), (.seconds(90), 90),
    ])
    func nobodyIsToldToComeBackTooEarly(time: Duration, seconds: Int) throws {
        let (head, _) = try response(ErrorPage(status: 503, explanation: "x", retryAfter: time))
        #expect(head.contains("Retry-After: \(seconds)"))
    }

    @Test func everyStatusHasAReason() throws {
        for status in 400...599 {
            let (head, _) = try response(ErrorPage(status: status, explanation: "x"), as: .json)
            #expect(head.first?.wholeMatch(of: /HTTP\/1\.1 [45]\d\d [A-Z][A-Za-z ]+/) != nil)
        }
        #expect(ErrorPage(status: 431, explanation: "").reason == "Request Header Fields Too Large")
    }

    // MARK: The page

    @Test func aPageIsWellFormedWhateverItSays() throws {
        for explanation in ["", "The app is away.", Self.hostile, String(repeating: "x", count: 10_000)] {
            let page = ErrorPage(status: 503, explanation: explanation, retryAfter: .seconds(2))
            let text = try #require(String(validating: page.html, as: UTF8.self))
            // Void elements closed, it is XML, and has only the elements that are meant to be there.
            let xml = text.replacing(/<((?:meta|link)[^>]*)>/) { "<\($0.1)/>" }
            let document = XMLNames()
            let parser = XMLParser(data: Data(xml.utf8))
            parser.delegate = document
            #expect(parser.parse(), "\(parser.parserError.debugDescription) in \(xml)")
            #expect(
                document.names == [
                    "html", "head", "meta", "meta", "meta", "meta", "link", "title", "style", "body", "main", "p", "h1",
                    "p", "a", "footer",
                ])
            #expect(document.text(of: "h1") == shown(explanation))
        }
    }

    /// What HTML does not allow is replaced.
    private func shown(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.value < 0x20 || 0x7F...0x9F ~= $0.value ? "\u{FFFD}" : $0 }))
    }

    @Test func aPageIsAccessible() {
        let text = String(decoding: ErrorPage.noAnswer("localhost:8000").html, as: UTF8.self)
        for part in [
            "<!DOCTYPE html>\n", "<html lang=\"en\">", "<title>502 Bad Gateway</title>", "<main>", "<h1>",
            "name=\"viewport\"", "prefers-color-scheme: dark", "charset=\"utf-8\"",
        ] {
            #expect(text.contains(part), "\(part)")
        }
        // Nothing is fetched, and nothing is run.
        #expect(!text.contains("http://") && !text.contains("https://") && !text.contains("<script"))
        #expect(text.utf8.count < 2048)
    }

    /// Of each pair of colours, light and dark, at least 7 to 1 (WCAG 2.2, 1.4.6).
    @Test func colorsAreInContrast() throws {
        let text = String(decoding: ErrorPage.noAnswer("x").html, as: UTF8.self)
        let schemes = text.matches(of: /--ground: (#\w+); --text: (#\w+); --dim: (#\w+); --link: (#\w+);/)
        #expect(schemes.count == 2)
        for scheme in schemes {
            let ground = try luminance(scheme.1)
            for color in [scheme.2, scheme.3, scheme.4] {
                let other = try luminance(color)
                let contrast = (max(ground, other) + 0.05) / (min(ground, other) + 0.05)
                #expect(contrast >= 7, "\(color) on \(scheme.1): \(contrast)")
            }
        }
    }

    /// Relative luminance of `#rgb` or `#rrggbb`.
    private func luminance(_ color: Substring) throws -> Double {
        var digits = Array(color.dropFirst())
        if digits.count == 3 { digits = digits.flatMap { [$0, $0] } }
        let channels = try stride(from: 0, to: 6, by: 2).map { index in
            let value = Double(try #require(Int(String(digits[index...index + 1]), radix: 16))) / 255
            return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
        }
        return 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2]
    }

    @Test func aPageRefreshesOnlyWhereThatHelps() {
        func refreshes(_ page: ErrorPage) -> Bool {
            let text = String(decoding: page.html, as: UTF8.self)
            let isRefreshed = text.contains("<meta http-equiv=\"refresh\" content=\"2\">")
            #expect(isRefreshed == text.contains("This page tries again every 2 seconds."))
            return isRefreshed
        }
        #expect(refreshes(.appNotListening("localhost:8000")))
        #expect(!refreshes(.noAnswer("localhost:8000")))
        #expect(!refreshes(ErrorPage(status: 429, explanation: "x", retryAfter: .seconds(2))))
        var afterPost = ErrorPage.appNotListening("localhost:8000")
        afterPost.refreshesItself = false
        #expect(!refreshes(afterPost))
        #expect(afterPost.retrySeconds == 2)
    }

    // MARK: JSON

    @Test(arguments: ["", hostile, "\"\\\u{1F}\u{2028}", "unix:/run/a\"b"]) func jsonReadsBack(text: String) throws {
        let bytes = ErrorPage(status: 502, explanation: text).json
        let object = try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
        #expect(object.count == 2)
        #expect(object["status"] as? Int == 502)
        #expect(object["error"] as? String == text)
        #expect(bytes.dropLast().allSatisfy { $0 >= 0x20 })
    }

    // MARK: The reasons

    @Test func reasonsAreSentencesAboutTheApp() {
        let app = "unix:/run/app.sock"
        let pages: [(ErrorPage, Int, Bool)] = [
            (.appNotListening(app), 503, true), (.appBusy(app), 503, true), (.queueFull(app), 503, true),
            (.queueTimeout(app, after: .seconds(10)), 503, true),
            (.connectFailed(app, SystemError("connect", code: EACCES)), 502, false), (.noAnswer(app), 502, false),
            (.invalidAnswer(app, "Its status is not a number of three digits."), 502, false),
            (.answerTimeout(app, after: .seconds(60)), 504, false),
        ]
        for (page, status, isWorthRetrying) in pages {
            #expect(page.status == status)
            #expect((page.retryAfter != nil) == isWorthRetrying)
            #expect(page.explanation.contains(app) && page.explanation.hasSuffix("."))
        }
        #expect(pages[3].0.explanation.hasSuffix("within 10s."))
        #expect(pages[4].0.explanation.hasSuffix("cannot be reached: Permission denied."))
        #expect(ErrorPage.headTimeout(after: .milliseconds(1500)).explanation.hasSuffix("within 1500ms."))
        #expect(ErrorPage.bodyTimeout(after: .seconds(30)).status == 408)
    }
}

/// The elements of a document, in their order, and their text.
private final class XMLNames: NSObject, XMLParserDelegate {
    private(set) var names: [String] = []
    private var texts: [String: String] = [:]
    private var open: [String] = []

    func text(of name: String) -> String { texts[name] ?? "" }

    func parser(
        _: XMLParser, didStartElement name: String, namespaceURI _: String?, qualifiedName _: String?,
        attributes _: [String: String]
    ) {
        names.append(name)
        open.append(name)
    }

    func parser(_: XMLParser, didEndElement _: String, namespaceURI _: String?, qualifiedName _: String?) {
        open.removeLast()
    }

    func parser(_: XMLParser, foundCharacters text: String) {
        if let name = open.last { texts[name, default: ""] += text }
    }
}

import EventLoop
import Foundation
import Network
import Testing

@testable import Observability

@Suite struct RequestSummaryTests {
    private static let time = Timestamp(secondsSince1970: 1_795_252_035, milliseconds: 42)
    private static let client = SocketAddress.ip(IPAddress("172.17.0.5")!, port: 51_000)
    private static let app = SocketAddress.ip(.loopbackV4, port: 8000)

    /// A request as it is copied out of its head.
    private static func text(_ line: String, referer: String = "", userAgent: String = "") -> RequestText {
        text(Array(line.utf8), referer: Array(referer.utf8), userAgent: Array(userAgent.utf8))
    }

    private static func text(_ line: [UInt8], referer: [UInt8] = [], userAgent: [UInt8] = []) -> RequestText {
        let head = line + referer + userAgent
        let parts = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
        let afterLine = line.count + referer.count
        var text = RequestText()
        text.copy(
            from: head.span, requestLine: 0..<line.count, method: parts.first?.indices ?? 0..<0,
            target: parts.dropFirst().first?.indices ?? 0..<0, referer: line.count..<afterLine,
            userAgent: afterLine..<head.count)
        return text
    }

    private static func summary(_ text: RequestText) -> RequestSummary {
        RequestSummary(
            client: client, route: "web", request: text, status: 200, bytesToClient: 512, upstream: app,
            times: RequestSummary.Times(total: .milliseconds(3)), end: "finished")
    }

    private static func combined(_ summary: RequestSummary) -> String {
        var line: [UInt8] = []
        summary.writeCombined(at: time, into: &line)
        return String(decoding: line, as: UTF8.self)
    }

    private static func json(_ summary: RequestSummary) throws -> [String: Any] {
        var line: [UInt8] = []
        summary.writeJSON(at: time, into: &line)
        return try #require(try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
    }

    /// All that there can be to say.
    private static var full: RequestSummary {
        RequestSummary(
            client: client, route: "web",
            request: text("POST /a?b=c HTTP/1.1", referer: "http://x/", userAgent: "curl/8.5.0"), status: 201,
            bytesToApp: 17, bytesToClient: 512, upstream: app,
            source: .ip(IPAddress("127.17.0.5")!, port: 40_312), isReused: true,
            times: RequestSummary.Times(
                queue: .microseconds(1), connect: .milliseconds(2), firstByte: .microseconds(12_045), total: .seconds(3)
            ),
            end: "finished")
    }

    // MARK: The whole line

    @Test func textIsCombinedLogFormat() {
        #expect(
            Self.combined(Self.full)
                == #"172.17.0.5 - - [21/Nov/2026:09:07:15 +0000] "POST /a?b=c HTTP/1.1" 201 512 "http://x/" "curl/8.5.0""#
                + #" route="web" upstream=127.0.0.1:8000 source=127.17.0.5:40312 reused=true to_app=17"#
                + #" queue_ms=0.001 connect_ms=2.000 first_byte_ms=12.045 total_ms=3000.000 end="finished""#)
    }

    @Test func jsonIsOneObject() {
        var line: [UInt8] = []
        Self.full.writeJSON(at: Self.time, into: &line)
        #expect(
            String(decoding: line, as: UTF8.self)
                == #"{"time":"2026-11-21T09:07:15.042Z","level":"info","part":"access","message":"request","client":"172.17.0.5:51000","#
                + #""route":"web","method":"POST","target":"/a?b=c","protocol":"HTTP/1.1","status":201,"to_app":17,"#
                + #""to_client":512,"upstream":"127.0.0.1:8000","reused":true,"source":"127.17.0.5:40312","#
                + #""queue_ms":0.001,"connect_ms":2.000,"first_byte_ms":12.045,"total_ms":3000.000,"#
                + #""referer":"http://x/","user_agent":"curl/8.5.0","end":"finished"}"#)
    }

    @Test func whatThereIsNotIsADashOrLeftOut() throws {
        let nothing = RequestSummary(
            client: .unix(path: ""), route: "web", request: RequestText(), status: nil,
            times: RequestSummary.Times(total: .zero), end: "client: Connection reset by peer")
        #expect(
            Self.combined(nothing)
                == #"unix: - - [21/Nov/2026:09:07:15 +0000] "-" - - "-" "-" route="web" total_ms=0.000"#
                + #" end="client: Connection reset by peer""#)
        #expect(
            try Set(Self.json(nothing).keys)
                == ["time", "level", "part", "message", "client", "route", "to_app", "to_client", "total_ms", "end"])
    }

    @Test func addressesOfEveryKindAreWritten() throws {
        var summary = Self.summary(Self.text("GET / HTTP/1.1"))
        summary.client = .ip(IPAddress("2001:db8::7")!, port: 9)
        summary.upstream = .unix(path: "/run/a \"b\"\n")
        #expect(Self.combined(summary).hasPrefix("2001:db8::7 - - ["))
        #expect(Self.combined(summary).contains(#" upstream="unix:/run/a \"b\"\n" total"#))
        #expect(try Self.json(summary)["client"] as? String == "[2001:db8::7]:9")
        #expect(try Self.json(summary)["upstream"] as? String == "unix:/run/a \"b\"\n")
        #expect(try Self.json(summary)["reused"] as? Bool == false)
    }

    /// docs/configuration.md shows this request.
    @Test func linesAreAsDocumented() throws {
        let summary = RequestSummary(
            client: Self.client, route: "web",
            request: Self.text("GET /login?next=/ HTTP/1.1", userAgent: "curl/8.5.0"),
            status: 302, bytesToClient: 512, upstream: Self.app, isReused: true,
            times: RequestSummary.Times(
                queue: .microseconds(4), firstByte: .microseconds(3120), total: .microseconds(3311)),
            end: "finished")
        var json: [UInt8] = []
        summary.writeJSON(at: Self.time, into: &json)
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/configuration.md")
        let lines = try String(contentsOf: folder, encoding: .utf8).split(separator: "\n")
        #expect(lines.contains { $0 == Self.combined(summary) })
        #expect(lines.contains { $0 == String(decoding: json, as: UTF8.self) })
    }

    // MARK: What strangers send

    /// Apache's rules: a field ends where we say, and so does the line.
    @Test func everyByteIsEscapedAsApacheDoes() {
        for byte in UInt8.min...UInt8.max {
            let expected =
                switch byte {
                case UInt8(ascii: "\""): #"\""#
                case UInt8(ascii: "\\"): #"\\"#
                case 8: #"\b"#
                case 9: #"\t"#
                case 10: #"\n"#
                case 11: #"\v"#
                case 13: #"\r"#
                case 0x20...0x7E: String(UnicodeScalar(byte))
                default: #"\x"# + (byte < 16 ? "0" : "") + String(byte, radix: 16)
                }
            let text = Self.text(Array("GET /".utf8), referer: [0x61, byte, 0x62], userAgent: [byte])
            #expect(
                Self.combined(Self.summary(text)).contains(#""GET /" 200 512 "a\#(expected)b" "\#(expected)" route"#),
                "byte \(byte)")
        }
    }

    @Test func anInjectedLineStaysInItsField() throws {
        let forged = "x\" 200 1\r\n10.0.0.1 - - [now] \"GET /admin HTTP/1.1\" 200 1 \"-\" \"\u{1B}[2J"
        let summary = Self.summary(Self.text("GET /\(forged.replacing(" ", with: "+")) HTTP/1.1", userAgent: forged))
        let line = Self.combined(summary)
        #expect(line.utf8.allSatisfy { 0x20...0x7E ~= $0 })
        #expect(line.matches(of: /(?:[^\\])"/).count == 10)
        #expect(try Self.json(summary)["user_agent"] as? String == forged)
    }

    @Test func jsonIsValidWhateverTheBytes() throws {
        for first in UInt8.min...UInt8.max {
            // Alone, in front of ASCII, and cut short in the middle of a character.
            for bytes in [[first], [first, 0x41], [first, 0x80], [first, 0xBF, 0x22], [0xF0, 0x9F, first]] {
                var line: [UInt8] = []
                Self.summary(Self.text([0x47], userAgent: bytes)).writeJSON(at: Self.time, into: &line)
                let isPrintable = line.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
                #expect(isPrintable && String(validating: line, as: UTF8.self) != nil, "\(bytes)")
                let object = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
                #expect(object?["user_agent"] as? String == String(decoding: bytes, as: UTF8.self), "\(bytes)")
            }
        }
    }

    @Test func controlsOfTheSecondKindAreEscapedInJSON() {
        var line: [UInt8] = []
        Self.summary(Self.text("G", userAgent: "\u{9B}2Jü🙂")).writeJSON(at: Self.time, into: &line)
        #expect(String(decoding: line, as: UTF8.self).contains(#""user_agent":"\u009b2Jü🙂""#))
    }

    @Test func partsAreBounded() throws {
        let long = String(repeating: "x", count: 1 << 20)
        let summary = Self.summary(Self.text("GET /\(long) HTTP/1.1", referer: long, userAgent: long))
        #expect(Self.combined(summary).utf8.count < 3 * RequestText.longestPart + 500)
        #expect(try (Self.json(summary)["target"] as? String)?.utf8.count == RequestText.longestPart)
        #expect(try Self.json(summary)["protocol"] as? String == "HTTP/1.1")
    }

    // MARK: Reuse

    @Test func aTextHoldsTheLastRequestOnly() throws {
        var text = Self.text("DELETE /long/enough HTTP/1.1", referer: "r", userAgent: "u")
        let head = Array("GET / HTTP/1.0".utf8)
        text.copy(from: head.span, requestLine: 0..<14, method: 0..<3, target: 4..<5)
        #expect(Self.combined(Self.summary(text)).contains(#""GET / HTTP/1.0" 200 512 "-" "-""#))
        #expect(Self.combined(Self.summary(RequestText())).contains(#""-" 200 512 "-" "-""#))
    }

    /// A request line that is refused has as much as was understood of it.
    @Test(arguments: [("GET", "\"GET \""), ("GET /", "\"GET /\""), ("GET / HTTP/9.9", "\"GET / HTTP/9.9\"")])
    func aPartOfARequestLineIsWritten(line: String, written: String) {
        #expect(Self.combined(Self.summary(Self.text(line))).contains(written))
    }

    @Test(arguments: LogFormat.allCases) func aLogWritesItWhereItsLevelSaysSo(format: LogFormat) throws {
        let pipe = try Pipe()
        let log = Log(level: .warning, format: format, writer: try LogWriter(to: pipe.takeWritingEnd()))
        var scratch = Array("left over".utf8)
        log.info(Self.full, scratch: &scratch)
        log.follow(LogLevels(standard: .info), format: format)
        log.info(Self.full, scratch: &scratch)
        log.close()
        let lines = try pipe.readToEnd().split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 2 && lines[1].isEmpty)
        #expect(lines[0].hasPrefix(format == .json ? "{\"time\":" : "172.17.0.5 - - ["))
    }
}

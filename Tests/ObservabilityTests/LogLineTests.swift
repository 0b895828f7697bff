import Foundation
import Testing

@testable import Observability

@Suite struct LogLineTests {
    private func render(_ message: String, _ fields: Log.Fields = [:], level: LogLevel = .info, as format: LogFormat)
        -> String
    {
        let time = Timestamp(secondsSince1970: 1_795_252_035, milliseconds: 42)
        return LogLine(time: time, level: level, part: .process, message: message, fields: fields).rendered(as: format)
    }

    @Test(arguments: [
        (LogLevel.debug, "debug   "), (.info, "info    "), (.warning, "warning "), (.error, "error   "),
    ])
    func messagesOfAllLevelsStandInOneColumn(level: LogLevel, column: String) {
        #expect(render("listening", level: level, as: .text) == "2026-11-21T09:07:15.042Z \(column)listening")
    }

    @Test func textHasItsFieldsInOrder() {
        let line = render("closed", ["route": "web", "bytes": 1234, "end": "idle timeout", "away": -1], as: .text)
        #expect(line.hasSuffix(#" closed route=web bytes=1234 end="idle timeout" away=-1"#))
    }

    @Test(arguments: [
        ("", #""""#), ("plain", "plain"), ("a=b", "a=b"), (#"a\b"#, #"a\b"#), ("naïve-\u{1F680}", "naïve-\u{1F680}"),
        ("a b", #""a b""#), (#"say "hi""#, #""say \"hi\"""#), (#"\ and space"#, #""\\ and space""#),
        ("a\nb", #""a\nb""#), ("a\r\tb", #""a\r\tb""#), ("\u{0}", #""\u0000""#), ("\u{1B}[31m", #""\u001b[31m""#),
        ("\u{7F}", #""\u007f""#), ("\u{9B}31m", #""\u009b31m""#),
    ])
    func textValuesAreQuotedWhereTheyMustBe(value: String, written: String) {
        #expect(render("m", ["v": .text(value)], as: .text).hasSuffix(" m v=" + written))
    }

    @Test func aMessageNeverBreaksItsLine() {
        for format in LogFormat.allCases {
            for scalar in (0...0x9F).compactMap({ Unicode.Scalar($0 as UInt32) }) {
                let line = render("a\(scalar)b", ["f": .text("c\(scalar)d")], as: format)
                #expect(
                    line.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F ~= $0.value) },
                    "U+\(String(scalar.value, radix: 16)) as \(format)")
            }
        }
    }

    @Test func jsonHasItsFieldsInOrder() {
        #expect(
            render("closed", ["route": "web", "bytes": 1234, "none": ""], as: .json)
                == #"{"time":"2026-11-21T09:07:15.042Z","level":"info","part":"process","#
                + #""message":"closed","route":"web","bytes":1234,"none":""}"#)
    }

    @Test(arguments: LogFormat.allCases) func whatSaysNothingIsLeftOut(format: LogFormat) {
        #expect(
            render("closed", ["a": 1, "b": .nothing, "c": 2], as: format)
                == render("closed", ["a": 1, "c": 2], as: format))
    }

    @Test(arguments: ["", "plain", #"say "hi""#, #"C:\n\u0041"#, "\r\n", "naïve \u{1F680} \u{2028}", "a/b", "{}[],:"])
    func jsonReadsBackAsWhatWasWritten(text: String) throws {
        try expectRoundTrip(text)
    }

    @Test func jsonReadsBackWithEveryControlCharacter() throws {
        try expectRoundTrip(String(String.UnicodeScalarView((0...0xFF).compactMap { Unicode.Scalar($0 as UInt32) })))
    }

    /// What peers, apps and files say comes as bytes of any kind.
    @Test func jsonReadsBackWhateverBytesItWasMadeOf() throws {
        var random = SystemRandomNumberGenerator()
        for first in UInt8.min...UInt8.max {
            // Beginnings of sequences of UTF-8 that do not go on, surrogates, quotes and backslashes among them.
            let bytes = [first] + (0..<20).map { _ in UInt8.random(in: 0...255, using: &random) }
            try expectRoundTrip(String(decoding: bytes, as: UTF8.self))
            try expectRoundTrip(String(decoding: [0x5C, first, 0x22, first, first], as: UTF8.self))
        }
    }

    @Test func repeatsAreASentenceOrNumbers() throws {
        var line = LogLine(
            time: Timestamp(secondsSince1970: 0, milliseconds: 0), level: .warning, part: .upstream, message: "busy",
            fields: ["route": "web"])
        line.repeats = LogLine.Repeats(count: 120, seconds: 60)
        #expect(line.rendered(as: .text).hasSuffix("warning busy (said 120 more times in the last 60 s) route=web"))
        #expect(
            line.rendered(as: .json).hasSuffix(
                #""part":"upstream","message":"busy","repeats":120,"seconds":60,"route":"web"}"#))
        line.repeats = LogLine.Repeats(count: 1, seconds: 60)
        #expect(line.rendered(as: .text).contains("(said 1 more time in"))
    }

    private func expectRoundTrip(_ text: String) throws {
        let line = render(text, ["value": .text(text), "number": .number(.min)], level: .error, as: .json)
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        #expect(object?.count == 6)
        #expect(object?["message"] as? String == text)
        #expect(object?["value"] as? String == text)
        #expect(object?["number"] as? Int == .min)
        #expect(object?["level"] as? String == "error")
    }
}

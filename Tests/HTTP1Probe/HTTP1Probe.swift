import HTTP1

/// Tells what the parsers make of bytes, for tests in other languages.
///
/// Each line of the input is `request`, `response-to METHOD` or `chunked`, and the bytes in hexadecimal. Each line of the
/// output answers one, in words with blanks between them; text is in hexadecimal, after a dash so that it is never empty.
@main
struct HTTP1Probe {
    static func main() {
        while let line = readLine() {
            let words = line.split(separator: " ", omittingEmptySubsequences: false)
            guard let kind = words.first, let bytes = words.last.flatMap({ bytes(inHexadecimal: $0) }) else {
                print("misunderstood")
                continue
            }
            switch kind {
            case "request": print(request(bytes))
            case "response-to": print(response(bytes, to: words[1] == "HEAD" ? .head : .get))
            case "chunked": print(chunked(bytes))
            default: print("misunderstood")
            }
        }
    }

    private static func request(_ bytes: [UInt8]) -> String {
        var parser = RequestParser()
        switch parser.parse(bytes.span) {
        case .incomplete: return "incomplete"
        case .invalid(let fault): return "invalid \(fault.status)"
        case .complete(let length):
            let head = parser.head
            let words = [
                "complete", "\(length)", hexadecimal(bytes[head.methodRange]), hexadecimal(bytes[head.targetRange]),
                head.version == .http10 ? "1.0" : "1.1", text(of: head.framing), head.keepsAlive ? "keeps" : "closes",
                "\(head.upgrade)",
            ]
            return (words + fields(head.fields, of: bytes)).joined(separator: " ")
        }
    }

    private static func response(_ bytes: [UInt8], to method: HTTP1.Method) -> String {
        var parser = ResponseParser(answering: method)
        switch parser.parse(bytes.span) {
        case .incomplete: return "incomplete"
        case .invalid: return "invalid 502"
        case .complete(let length):
            let head = parser.head
            let words = [
                "complete", "\(length)", "\(head.status)", hexadecimal(bytes[head.reasonRange]),
                head.version == .http10 ? "1.0" : "1.1", text(of: head.framing), head.keepsAlive ? "keeps" : "closes",
                head.isInformational ? "informational" : "final",
            ]
            return (words + fields(head.fields, of: bytes)).joined(separator: " ")
        }
    }

    /// Where the body ended, its payload, and what is passed on.
    private static func chunked(_ bytes: [UInt8]) -> String {
        var payload: [UInt8] = []
        var passed: [UInt8] = []
        var end = 0
        for output in [BodyOutput.payloadOnly, .sameFraming] {
            var scanner = BodyScanner(.chunked, output: output)
            var outcome = BodyStep.Outcome.goesOn
            var taken: [UInt8] = []
            end = 0
            while outcome == .goesOn, end < bytes.count {
                let step = scanner.scan(bytes.span, from: end)
                taken += bytes[step.pass]
                end = step.next
                outcome = step.outcome
            }
            switch outcome {
            case .goesOn: return "incomplete"
            case .invalid: return "invalid 400"
            case .ended: taken += scanner.trailerSection
            }
            if output == .payloadOnly { payload = taken } else { passed = taken }
        }
        return "complete \(end) \(hexadecimal(payload[...])) \(hexadecimal(passed[...]))"
    }

    private static func fields(_ fields: [HeadField], of bytes: [UInt8]) -> [String] {
        fields.flatMap { [hexadecimal(bytes[$0.nameRange]), hexadecimal(bytes[$0.valueRange])] }
    }

    private static func text(of framing: BodyFraming) -> String {
        switch framing {
        case .none: "none"
        case .length(let length): "\(length)"
        case .chunked: "chunked"
        case .untilClose: "close"
        }
    }

    private static func hexadecimal(_ bytes: ArraySlice<UInt8>) -> String {
        "-" + bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func bytes(inHexadecimal text: Substring) -> [UInt8]? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while !rest.isEmpty {
            guard let byte = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else { return nil }
            bytes.append(byte)
            rest = rest.dropFirst(2)
        }
        return bytes
    }
}

import HTTP1
import Testing

/// What becomes of a body, in the words of chunked.cases.
func outcome(ofChunked bytes: [UInt8], output: BodyOutput, fed feeding: Feeding = .whole) -> String {
    var scanner = BodyScanner(.chunked, output: output)
    var passed: [UInt8] = []
    var position = 0
    var outcome = BodyStep.Outcome.goesOn
    for length in feeding.lengths(of: bytes.count) {
        while outcome == .goesOn, position < length {
            let step = scanner.scan(bytes.span.extracting(0..<length), from: position)
            #expect(step.pass.lowerBound >= position && step.pass.upperBound <= step.next && step.next <= length)
            passed += bytes[step.pass]
            position = step.next
            outcome = step.outcome
        }
    }
    switch outcome {
    case .invalid(let fault): return "invalid \(fault) passes \(Case.escaped(passed))"
    case .goesOn, .ended:
        if outcome == .ended { passed += scanner.trailerSection }
        let left = bytes.count - position
        return "\(outcome) payload=\(scanner.payloadBytes) left=\(left) passes \(Case.escaped(passed))"
    }
}

/// The cases of chunked.cases, each fed whole, byte by byte, and split at every place.
@Suite struct ChunkedCaseTests {
    @Test(arguments: Case.all(in: "chunked.cases"))
    func chunked(_ item: Case) {
        let output: BodyOutput = item.options == ["dechunked"] ? .payloadOnly : .sameFraming
        for feeding in Feeding.all(for: item.bytes.count) {
            let outcome = outcome(ofChunked: item.bytes, output: output, fed: feeding)
            guard outcome == item.outcome else {
                Issue.record("\(item.name), \(feeding): \(outcome), not \(item.outcome)")
                return
            }
        }
    }
}

import CLibFuzzer
import HTTP1

/// Feeds the scanner of chunked bodies with what libFuzzer makes up.
@main
struct FuzzChunkedBody {
    static func main() {
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
        _ = unsafe LLVMFuzzerRunDriver(&count, &arguments) { bytes, count in
            unsafe FuzzChunkedBody.check(Array(UnsafeBufferPointer(start: bytes, count: count)))
            return 0
        }
    }

    private struct Result: Equatable {
        var passed: [UInt8] = []
        var end = 0
        var outcome = BodyStep.Outcome.goesOn
        var payloadBytes: UInt64 = 0
    }

    private static func scan(_ bytes: [UInt8], _ output: BodyOutput, inPieces: Bool, unseen: Bool = false) -> Result {
        var scanner = BodyScanner(.chunked, output: output)
        var result = Result()
        var length = inPieces ? 0 : bytes.count
        while result.outcome == .goesOn {
            while result.outcome == .goesOn, result.end < length {
                let plain = Int(min(scanner.plainBytesAhead, UInt64(length - result.end)))
                if unseen, plain > 0 {
                    result.passed += bytes[result.end..<result.end + plain]
                    result.end += plain
                    scanner.advance(by: UInt64(plain))
                    continue
                }
                let step = scanner.scan(bytes.span.extracting(0..<length), from: result.end)
                precondition(step.pass.lowerBound >= result.end && step.pass.upperBound <= step.next)
                precondition(step.next > result.end || step.outcome != .goesOn, "no progress")
                result.passed += bytes[step.pass]
                result.end = step.next
                result.outcome = step.outcome
            }
            if length == bytes.count { break }
            length = min(bytes.count, length + 1 + Int(bytes[length] & 7))
        }
        // Where a fault was found depends on how the bytes were cut.
        if case .invalid = result.outcome { result.end = 0 }
        if result.outcome == .ended { result.passed += scanner.trailerSection }
        result.payloadBytes = scanner.payloadBytes
        return result
    }

    /// How the bytes are cut changes nothing, and what is passed on is a body with the same payload, to its last byte.
    private static func check(_ bytes: [UInt8]) {
        let same = scan(bytes, .sameFraming, inPieces: false)
        precondition(same == scan(bytes, .sameFraming, inPieces: true))
        precondition(same == scan(bytes, .sameFraming, inPieces: true, unseen: true))
        let payload = scan(bytes, .payloadOnly, inPieces: false)
        precondition(payload == scan(bytes, .payloadOnly, inPieces: true))
        precondition(payload.end == same.end && payload.outcome == same.outcome)
        precondition(payload.passed.count == Int(payload.payloadBytes) && payload.payloadBytes == same.payloadBytes)

        let again = scan(same.passed, .sameFraming, inPieces: false)
        switch same.outcome {
        case .ended:
            precondition(again.outcome == .ended && again.passed == same.passed && again.end == same.passed.count)
        case .goesOn, .invalid:
            // Never whole, however it is read.
            precondition(again.outcome == .goesOn && again.passed == same.passed)
        }
        precondition(scan(same.passed, .payloadOnly, inPieces: false).passed == payload.passed)
    }
}

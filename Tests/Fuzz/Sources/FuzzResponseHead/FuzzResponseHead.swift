import CLibFuzzer
import HTTP1

/// Feeds the parser of response heads with what libFuzzer makes up.
@main
struct FuzzResponseHead {
    static func main() {
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
        _ = unsafe LLVMFuzzerRunDriver(&count, &arguments) { bytes, count in
            unsafe FuzzResponseHead.check(Array(UnsafeBufferPointer(start: bytes, count: count)))
            return 0
        }
    }

    private static let limits = HeadLimits(headBytes: 2048, fields: 20)

    /// How the bytes are cut changes nothing, and what is written of a head is a head with the same meaning.
    private static func check(_ bytes: [UInt8]) {
        for method in [HTTP1.Method.get, .head] {
            var parser = ResponseParser(limits: limits, answering: method)
            let progress = parser.parse(bytes.span)
            var other = ResponseParser(limits: limits, answering: method)
            var fed = HeadProgress<ResponseFault>.incomplete
            var length = 0
            while fed == .incomplete, length < bytes.count {
                length += 1 + Int(bytes[length] & 7)
                fed = other.parse(bytes.span.extracting(0..<min(length, bytes.count)))
            }
            precondition(fed == progress, "\(fed) in pieces, \(progress) whole")
            switch progress {
            case .incomplete: break
            case .invalid(let fault): precondition(!fault.explanation.isEmpty)
            case .complete: checkWritten(parser.head, bytes, method)
            }
        }
    }

    private static func checkWritten(_ head: ResponseHead, _ bytes: [UInt8], _ method: HTTP1.Method) {
        for authority in ["a.example:8080", "[::1]"] {
            let rewriting = OriginRewriting(
                upstreamAuthority: Array("localhost:8000".utf8),
                client: ClientOrigin(scheme: .https, authority: Array(authority.utf8)))
            for (version, wantsClose) in [(Version.http10, false), (.http10, true), (.http11, false), (.http11, true)] {
                var written: [UInt8] = []
                // A client of HTTP/1.0 knows no chunks.
                let needsChunks = head.framing == .chunked || head.framing == .untilClose
                let closes = wantsClose || version == .http10 && needsChunks
                let client = ResponseForwarding(clientVersion: version, closes: closes, rewriting: rewriting)
                head.write(bytes.span, for: client, into: &written)
                var parser = ResponseParser(
                    limits: HeadLimits(headBytes: 1 << 20, fields: 100), answering: method)
                guard case .complete(written.count) = parser.parse(written.span) else {
                    preconditionFailure("what is written is no head: \(String(decoding: written, as: UTF8.self))")
                }
                let again = parser.head
                precondition(again.version == .http11 && again.status == head.status)
                precondition(Array(written[again.reasonRange]) == Array(bytes[head.reasonRange]))
                let inChunks = needsChunks && !closes
                let withoutChunks = needsChunks && version == .http10
                precondition(again.framing == (inChunks ? .chunked : withoutChunks ? .untilClose : head.framing))
                // What is informational ends nothing.
                let ends = closes && !head.isInformational || head.switchesProtocols
                precondition(again.keepsAlive == !ends)
            }
        }
    }
}

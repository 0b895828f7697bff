import CLibFuzzer
import HTTP1

/// Feeds the parser of request heads with what libFuzzer makes up.
@main
struct FuzzRequestHead {
    static func main() {
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
        _ = unsafe LLVMFuzzerRunDriver(&count, &arguments) { bytes, count in
            unsafe FuzzRequestHead.check(Array(UnsafeBufferPointer(start: bytes, count: count)))
            return 0
        }
    }

    private static let limits = HeadLimits(headBytes: 2048, fields: 20, targetBytes: 512)
    private static let upstream = Array("localhost:8000".utf8)

    /// How the bytes are cut changes nothing, and what is written of a head is a head with the same meaning.
    private static func check(_ bytes: [UInt8]) {
        var parser = RequestParser(limits: limits)
        let progress = parser.parse(bytes.span)
        var other = RequestParser(limits: limits)
        var fed = HeadProgress<RequestFault>.incomplete
        // In pieces that grow by what the bytes say.
        var length = 0
        while fed == .incomplete, length < bytes.count {
            length += 1 + Int(bytes[length] & 7)
            fed = other.parse(bytes.span.extracting(0..<min(length, bytes.count)))
        }
        precondition(fed == progress, "\(fed) in pieces, \(progress) whole")
        switch progress {
        case .incomplete:
            break
        case .invalid(let fault):
            precondition((400..<600).contains(fault.status) && !fault.explanation.isEmpty)
        case .complete(let length):
            precondition(length <= bytes.count && length == parser.head.length && parser.hasBegun)
            _ = parser.head.acceptsHTML(bytes.span)
            for isTrusted in [false, true] {
                let sender = Sender(address: Array("192.0.2.1".utf8), scheme: .http, isTrusted: isTrusted)
                _ = parser.head.clientOrigin(bytes.span, from: sender)
                for host in [RequestForwarding.Host.preserve, .upstream, .name([0x61])] {
                    let upstream = RequestForwarding(host: host, upstreamAuthority: upstream)
                    checkWritten(parser.head, bytes, upstream, sender)
                }
            }
        }
    }

    private static func checkWritten(
        _ head: RequestHead, _ bytes: [UInt8], _ upstream: RequestForwarding, _ sender: Sender
    ) {
        var written: [UInt8] = []
        head.write(bytes.span, to: upstream, from: sender, into: &written)
        var parser = RequestParser(limits: HeadLimits(headBytes: 1 << 20, fields: 100, targetBytes: 4096))
        guard case .complete(written.count) = parser.parse(written.span) else {
            preconditionFailure("what is written is no head: \(String(decoding: written, as: UTF8.self))")
        }
        let again = parser.head
        precondition(again.version == .http11 && again.framing == head.framing)
        precondition(Array(written[again.methodRange]) == Array(bytes[head.methodRange]))
        precondition(again.upgrade == (head.upgrade == .webSocket ? .webSocket : .none))
        precondition(again.keepsAlive)
        precondition(again.expectsContinue == head.expectsContinue)
        if case .absolute = again.target { preconditionFailure("the app gets no URL") }
        for field in again.fields {
            switch field.name {
            case .underscored, .keepAlive, .proxyConnection, .te, .proxy, .http2Settings:
                preconditionFailure("\(field.name) is passed on")
            case .realIP, .forwardedOther:
                precondition(sender.isTrusted)
            case .connection, .upgrade:
                precondition(head.upgrade == .webSocket)
            default:
                break
            }
        }
    }
}

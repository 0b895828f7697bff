import HTTP1

/// Makes one response of the bytes that come on a connection, in pieces of any size.
///
/// A value without a socket: ``HTTPFetch`` feeds it.
struct ResponseReader {
    struct Response {
        var status: Int
        var body: [UInt8]

        /// The body as a person reads it.
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    enum Fault: Error {
        /// The connection ended before the response did.
        case truncated
        /// A sentence about what is wrong with the response.
        case malformed(String)
        case tooLarge
    }

    /// The longest body that is taken, in bytes.
    static let longestBody = 16 << 20

    private enum Phase {
        case head(ResponseParser)
        case body(BodyScanner)
        case done
    }

    private var phase = Phase.head(ResponseParser())
    /// Bytes that the phase has not passed yet: the head's, from its beginning.
    private var pending: [UInt8] = []
    private var response = Response(status: 0, body: [])

    /// Goes on with bytes that have come.
    /// - Returns: the response, once it is whole; what comes behind it means nothing.
    mutating func add(_ bytes: ArraySlice<UInt8>) throws(Fault) -> Response? {
        pending += bytes
        while true {
            switch phase {
            case .head(var parser):
                let progress = parser.parse(pending.span)
                phase = .head(parser)
                switch progress {
                case .incomplete: return nil
                case .invalid(let fault): throw .malformed(fault.explanation)
                case .complete(let length):
                    pending.removeFirst(length)
                    begin(parser.head)
                }
            case .body(var scanner):
                let isWhole = try scan(with: &scanner)
                phase = isWhole ? .done : .body(scanner)
                if !isWhole { return nil }
            case .done:
                return response
            }
        }
    }

    /// Takes note that the connection has ended in order.
    /// - Returns: the response, which such an end may complete.
    func end() throws(Fault) -> Response {
        switch phase {
        case .body(let scanner) where scanner.endsWithConnection: return response
        case .done: return response
        case .head, .body: throw .truncated
        }
    }

    private mutating func begin(_ head: ResponseHead) {
        // Behind a 100 or 103 comes the head that counts.
        guard !head.isInformational else { return phase = .head(ResponseParser()) }
        response.status = head.status
        phase = .body(BodyScanner(head.framing, output: .payloadOnly))
    }

    /// - Returns: whether the body is at its end.
    private mutating func scan(with scanner: inout BodyScanner) throws(Fault) -> Bool {
        var next = 0
        while true {
            let step = scanner.scan(pending.span, from: next)
            guard response.body.count + step.pass.count <= Self.longestBody else { throw .tooLarge }
            response.body += pending[step.pass]
            switch step.outcome {
            case .ended: return true
            case .invalid(let fault): throw .malformed(fault.explanation)
            case .goesOn:
                next = step.next
                if next == pending.count {
                    pending.removeAll(keepingCapacity: true)
                    return false
                }
            }
        }
    }
}

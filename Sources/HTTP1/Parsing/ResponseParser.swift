/// Parses response heads as strictly as ``RequestParser`` does requests', from bytes that arrive in pieces of any size.
public struct ResponseParser: Sendable {
    private enum State {
        case version, afterVersion, status, afterStatus, reason, lineFeed, fields, complete
        case failed(ResponseFault)
    }

    /// Whole after ``HeadProgress/complete(length:)``; after a fault, as far as it came.
    public private(set) var head = ResponseHead()
    private let limits: HeadLimits
    private var method: Method
    private var scanner: FieldScanner
    private var state = State.version
    private var position = 0
    private var reasonStart = 0

    /// - Parameter method: the method of the request: responses to HEAD have no body.
    public init(limits: HeadLimits = HeadLimits(), answering method: Method = .get) {
        self.limits = limits
        self.method = method
        scanner = FieldScanner(limit: limits.fields)
    }

    /// Makes ready for the next head; after an informational one, too.
    public mutating func reset(answering method: Method) {
        self.method = method
        head = ResponseHead()
        scanner.reset()
        state = .version
        position = 0
        reasonStart = 0
    }

    /// Goes on with what has arrived.
    /// - Parameter bytes: everything since the head's beginning. What an earlier call has seen is not looked at again.
    public mutating func parse(_ bytes: Span<UInt8>) -> HeadProgress<ResponseFault> {
        if case .failed(let fault) = state { return .invalid(fault) }
        let end = min(bytes.count, limits.headBytes)
        do throws(ResponseFault) {
            try scan(bytes, to: end)
        } catch {
            state = .failed(error)
            return .invalid(error)
        }
        if case .complete = state { return .complete(length: head.length) }
        guard end == limits.headBytes else { return .incomplete }
        state = .failed(.field(.headTooLarge))
        return .invalid(.field(.headTooLarge))
    }

    private mutating func scan(_ bytes: Span<UInt8>, to end: Int) throws(ResponseFault) {
        var index = position
        precondition(index >= 0 && end <= bytes.count)
        defer { position = index }
        while index < end {
            switch state {
            case .version:
                // Byte by byte, so that another protocol is noticed at once.
                while index < min(end, Text.httpSlash.count) {
                    guard bytes[index] == Text.httpSlash[index] else { throw .notHTTP }
                    index &+= 1
                }
                guard end >= 8 else { return }
                switch VersionText(bytes.word(at: 0)) {
                case .known(let version): head.version = version
                case .unsupported: throw .unsupportedVersion
                case .malformed: throw .notHTTP
                }
                index = 8
                state = .afterVersion
            case .afterVersion:
                guard bytes[index] == .space else { throw .notHTTP }
                index &+= 1
                state = .status
            case .status:
                while index < min(end, 12) {
                    guard bytes[index].isDigit else { throw .invalidStatus }
                    head.status = head.status * 10 + Int(bytes[index] - .zero)
                    index &+= 1
                }
                guard index == 12 else { return }
                guard head.status >= 100 else { throw .invalidStatus }
                state = .afterStatus
            case .afterStatus:
                // The blank before an empty reason is often left out.
                switch bytes[index] {
                case .space:
                    index &+= 1
                    reasonStart = index
                    state = .reason
                case .carriageReturn:
                    reasonStart = index
                    state = .reason
                case .lineFeed: throw .bareLineFeed
                default: throw .invalidStatus
                }
            case .reason:
                index = bytes.endOfText(from: index, to: end)
                guard index < end else { return }
                switch bytes[index] {
                case .carriageReturn: break
                case .lineFeed: throw .bareLineFeed
                default: throw .invalidReason
                }
                head.reasonRange = reasonStart..<index
                index &+= 1
                state = .lineFeed
            case .lineFeed:
                guard bytes[index] == .lineFeed else { throw .bareCarriageReturn }
                index &+= 1
                head.fieldsStart = index
                state = .fields
            case .fields:
                switch scanner.scan(bytes, from: &index, to: end) {
                case .incomplete: return
                case .invalid(let fault): throw .field(fault)
                case .complete:
                    head.length = index
                    head.fields = scanner.fields
                    try readFields(bytes)
                    state = .complete
                }
            case .complete, .failed:
                return
            }
        }
    }

    private mutating func readFields(_ bytes: Span<UInt8>) throws(ResponseFault) {
        var framing = MessageFraming()
        do throws(FramingFault) {
            for field in head.fields { try framing.add(field, bytes) }
            try framing.check(head.version)
        } catch {
            throw .framing(error)
        }
        head.connection = framing.connection
        head.authenticatesConnection = framing.authenticatesConnection
        let neverHasBody = head.status < 200 || head.status == 204
        if neverHasBody || head.status == 304 || method == .head {
            head.framing = .none
        } else if framing.isChunked {
            head.framing = .chunked
        } else if let length = framing.length {
            head.framing = length == 0 ? .none : .length(length)
        } else {
            head.framing = .untilClose
        }
        // An app that announces a body where there is none may well send one.
        let announcesBody = framing.hasTransferEncoding || framing.length ?? 0 > 0
        head.keepsAlive =
            framing.connection.persists(in: head.version) && head.framing != .untilClose && head.status != 101
            && !(neverHasBody && announcesBody)
    }
}

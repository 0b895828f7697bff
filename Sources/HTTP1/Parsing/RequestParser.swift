/// Parses request heads strictly, as RFC 9112 has them, from bytes that arrive in pieces of any size. How they are cut
/// never changes the outcome.
///
/// One parser serves all requests of a connection, and its memory is reused.
public struct RequestParser: Sendable {
    private enum State {
        case start, emptyLineFeed, method, target, version, lineFeed, fields, complete
        case failed(RequestFault)
    }

    /// Whole after ``HeadProgress/complete(length:)``; after a fault, as far as it came.
    public private(set) var head = RequestHead()
    private let limits: HeadLimits
    private var scanner: FieldScanner
    private var state = State.start
    private var position = 0
    /// The beginning of the part of the request line that is being read.
    private var partStart = 0

    /// The longest method: more than any that is registered.
    private static let longestMethod = 32

    public init(limits: HeadLimits = HeadLimits()) {
        self.limits = limits
        scanner = FieldScanner(limit: limits.fields)
    }

    /// Makes ready for the next head.
    public mutating func reset() {
        head = RequestHead()
        scanner.reset()
        state = .start
        position = 0
        partStart = 0
    }

    /// Whether any byte of the head has been seen; the empty line that may precede it does not count.
    public var hasBegun: Bool {
        switch state {
        case .start, .emptyLineFeed: false
        default: true
        }
    }

    /// Goes on with what has arrived.
    /// - Parameter bytes: everything since the head's beginning. What an earlier call has seen is not looked at again.
    public mutating func parse(_ bytes: Span<UInt8>) -> HeadProgress<RequestFault> {
        if case .failed(let fault) = state { return .invalid(fault) }
        let end = min(bytes.count, limits.headBytes)
        do throws(RequestFault) {
            try scan(bytes, to: end)
        } catch {
            state = .failed(error)
            return .invalid(error)
        }
        if case .complete = state { return .complete(length: head.length) }
        guard end == limits.headBytes else { return .incomplete }
        var fault = RequestFault.field(.headTooLarge)
        if case .target = state { fault = .targetTooLong }
        state = .failed(fault)
        return .invalid(fault)
    }

    private mutating func scan(_ bytes: Span<UInt8>, to end: Int) throws(RequestFault) {
        var index = position
        precondition(index >= 0 && end <= bytes.count)
        defer { position = index }
        while index < end {
            switch state {
            case .start:
                // One empty line is tolerated (RFC 9112 section 2.2).
                if bytes[index] == .carriageReturn {
                    guard index == 0 else { throw .emptyLines }
                    index &+= 1
                    state = .emptyLineFeed
                } else {
                    partStart = index
                    state = .method
                }
            case .emptyLineFeed:
                guard bytes[index] == .lineFeed else { throw .bareCarriageReturn }
                index &+= 1
                state = .start
            case .method:
                while index < end, ByteSet.token.contains(bytes[index]) { index &+= 1 }
                guard index &- partStart <= Self.longestMethod else { throw .methodTooLong }
                guard index < end else { return }
                guard bytes[index] == .space, index > partStart else {
                    throw Self.fault(inMethod: bytes[index], at: index &- partStart)
                }
                head.storedMethodRange = partStart..<index
                head.method = Method(bytes, head.storedMethodRange)
                index &+= 1
                partStart = index
                state = .target
            case .target:
                let stop = min(end, partStart &+ limits.targetBytes &+ 1)
                index = bytes.endOfTarget(from: index, to: stop)
                guard index &- partStart <= limits.targetBytes else { throw .targetTooLong }
                guard index < end else { return }
                guard bytes[index] == .space, index > partStart else {
                    throw Self.fault(inTarget: bytes[index], at: index &- partStart)
                }
                head.storedTargetRange = partStart..<index
                index &+= 1
                partStart = index
                state = .version
            case .version:
                while index < end, bytes[index] != .carriageReturn {
                    if bytes[index] == .lineFeed { throw index > partStart ? .bareLineFeed : .missingVersion }
                    guard index &- partStart < 8 else { throw .invalidVersion }
                    index &+= 1
                }
                guard index < end else { return }
                if index == partStart { throw .missingVersion }
                guard index &- partStart == 8 else { throw .invalidVersion }
                try read(version: VersionText(bytes.word(at: partStart)), bytes)
                index &+= 1
                state = .lineFeed
            case .lineFeed:
                guard bytes[index] == .lineFeed else { throw .bareCarriageReturn }
                index &+= 1
                head.fieldsStart = index
                try readTarget(bytes)
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

    private static func fault(inMethod byte: UInt8, at offset: Int) -> RequestFault {
        switch byte {
        case 0x16 where offset == 0: .tlsHandshake
        case .lineFeed: offset == 0 ? .bareLineFeed : .missingTarget
        case .carriageReturn: .missingTarget
        default: .invalidMethod
        }
    }

    private static func fault(inTarget byte: UInt8, at offset: Int) -> RequestFault {
        switch byte {
        case .space: .missingTarget
        case .carriageReturn, .lineFeed: offset == 0 ? .missingTarget : .missingVersion
        default: .invalidTarget
        }
    }

    private mutating func read(version: VersionText, _ bytes: Span<UInt8>) throws(RequestFault) {
        switch version {
        case .known(let version): head.version = version
        case .malformed: throw .invalidVersion
        case .unsupported: throw bytes.equals(head.storedMethodRange, Text.pri) ? .http2Preface : .unsupportedVersion
        }
    }

    private mutating func readTarget(_ bytes: Span<UInt8>) throws(RequestFault) {
        let range = head.storedTargetRange
        if head.method == .connect { throw .connectRefused }
        if bytes[range.lowerBound] == .slash {
            head.target = .origin(range)
        } else if range.count == 1, bytes[range.lowerBound] == 0x2A {  // *
            guard head.method == .options else { throw .asteriskWithoutOptions }
            head.target = .asterisk
        } else {
            let scheme: Scheme
            let start: Int
            if bytes.begins(range, with: Text.httpURL) {
                (scheme, start) = (.http, range.lowerBound + Text.httpURL.count)
            } else if bytes.begins(range, with: Text.httpsURL) {
                (scheme, start) = (.https, range.lowerBound + Text.httpsURL.count)
            } else {
                throw .unknownTargetForm
            }
            var end = start
            while end < range.upperBound, bytes[end] != .slash, bytes[end] != 0x3F { end += 1 }  // ?
            guard Authority(bytes, start..<end) != nil else { throw .invalidHost }
            head.target = .absolute(scheme, authority: start..<end, pathAndQuery: end..<range.upperBound)
        }
    }

    private mutating func readFields(_ bytes: Span<UInt8>) throws(RequestFault) {
        var framing = MessageFraming()
        var host: Range<Int>?
        var upgrade: Range<Int>?
        var upgrades = 0
        var expects = false
        do throws(FramingFault) {
            for field in head.fields where field.name != .other { try framing.add(field, bytes) }
            try framing.check(head.version)
        } catch {
            throw .framing(error)
        }
        for field in head.fields where field.name != .other {
            switch field.name {
            case .host:
                if host != nil { throw .repeatedHost }
                host = field.valueRange
                guard Authority(bytes, field.valueRange) != nil else { throw .invalidHost }
            case .upgrade:
                upgrade = field.valueRange
                upgrades += 1
            case .expect where head.version == .http11:
                guard FoldedToken(bytes, field.valueRange) == .continue100 else { throw .unknownExpectation }
                expects = true
            default:
                break
            }
        }
        if host == nil, head.version == .http11 { throw .missingHost }
        if case .absolute(_, let authority, _) = head.target { host = authority }
        head.hostRange = host
        head.connection = framing.connection
        head.authenticatesConnection = framing.authenticatesConnection
        head.keepsAlive = framing.connection.persists(in: head.version)
        if framing.isChunked {
            head.framing = .chunked
        } else if let length = framing.length, length > 0 {
            head.framing = .length(length)
        }
        head.expectsContinue = expects && head.framing != .none
        guard head.version == .http11, framing.connection.upgrades, let upgrade else { return }
        let isWebSocket = upgrades == 1 && FoldedToken(bytes, upgrade) == .webSocket
        head.upgrade = isWebSocket && head.method == .get && head.framing == .none ? .webSocket : .unsupported
    }
}

/// Follows a chunked body (RFC 9112 section 7.1) that arrives in pieces.
///
/// The bytes that it lets pass are always the beginning of a well-formed chunked body without extensions. So they can go on as
/// they are: nothing is left in them that two readers, strict or lenient, could understand differently.
@usableFromInline
struct ChunkedScanner: Sendable {
    /// The most bytes of one chunk's extensions.
    static let extensionLimit = 1024
    /// The most bytes and fields of the trailers.
    static let trailerLimit = 8192
    static let trailerFieldLimit = 32

    private enum State: UInt8 {
        case size, moreSize, afterSize
        case extensionStart, extensionName, moreExtensionName, extensionValue, moreExtensionValue, quoted, escaped,
            afterQuoted
        case sizeLineFeed
        case data, dataEnd, dataLineFeed
        case trailerStart, lastLineFeed, trailers
        case ended
    }

    private let output: BodyOutput
    private var state = State.size
    private var digits = 0
    private var extensionBytes = 0
    /// The bytes that are still to come of the chunk.
    private var remaining: UInt64 = 0
    @usableFromInline private(set) var payloadBytes: UInt64 = 0
    /// Boxed, as few bodies have any, and a scanner is copied often.
    private var trailers = Trailers.none

    private indirect enum Trailers {
        case none
        /// The trailers as they arrive.
        case arriving([UInt8], FieldScanner, position: Int)
        /// The part of them that is passed on, with the last empty line.
        case whole([UInt8])
    }

    init(output: BodyOutput) {
        self.output = output
    }

    /// The number of the next bytes that are a chunk's own.
    var plainBytesAhead: UInt64 { state == .data ? remaining : 0 }

    /// Takes note of bytes of the chunk that were passed on unseen; at most ``plainBytesAhead``.
    mutating func advance(by count: UInt64) {
        precondition(state == .data && count <= remaining)
        remaining -= count
        payloadBytes += count
        if remaining == 0 { state = .dataEnd }
    }

    mutating func scan(_ bytes: Span<UInt8>, from start: Int) -> BodyStep {
        var index = start
        var passStart = start
        do throws(BodyFault) {
            while index < bytes.count, state != .ended {
                let isDropped = isDropped
                if isDropped, index > passStart { break }
                try step(bytes, &index)
                if isDropped { passStart = index }
            }
        } catch {
            return BodyStep(pass: passStart..<index, next: index, outcome: .invalid(error))
        }
        return BodyStep(pass: passStart..<index, next: index, outcome: state == .ended ? .ended : .goesOn)
    }

    private var isDropped: Bool {
        switch state {
        case .data: false
        case .extensionStart, .extensionName, .moreExtensionName, .extensionValue, .moreExtensionValue, .quoted,
            .escaped,
            .afterQuoted, .trailers:
            true
        default: output == .payloadOnly
        }
    }

    /// Looks at one byte of the framing, or at as much of the chunk as there is.
    private mutating func step(_ bytes: Span<UInt8>, _ index: inout Int) throws(BodyFault) {
        let byte = bytes[index]
        switch state {
        case .size:
            guard let digit = byte.hexadecimal else { throw .invalidChunkSize }
            remaining = UInt64(digit)
            digits = 1
            state = .moreSize
        case .moreSize:
            if let digit = byte.hexadecimal {
                digits += 1
                guard digits <= 16, remaining < 1 << 59 else { throw .chunkTooLarge }
                remaining = remaining << 4 | UInt64(digit)
                break
            }
            state = .afterSize
            return
        case .afterSize:
            switch byte {
            case .carriageReturn: state = .sizeLineFeed
            case .semicolon:
                extensionBytes = 0
                state = .extensionStart
                return
            case .lineFeed: throw .bareLineFeed
            default: throw .invalidChunkSize
            }
        case .extensionStart, .extensionName, .moreExtensionName, .extensionValue, .moreExtensionValue, .quoted,
            .escaped,
            .afterQuoted:
            if byte == .carriageReturn, endsExtension {
                state = .afterSize
                return
            }
            extensionBytes += 1
            guard extensionBytes <= Self.extensionLimit else { throw .extensionTooLong }
            try stepExtension(byte)
        case .sizeLineFeed:
            guard byte == .lineFeed else { throw .bareCarriageReturn }
            state = remaining == 0 ? .trailerStart : .data
        case .data:
            let count = min(remaining, UInt64(bytes.count - index))
            advance(by: count)
            index += Int(count)
            return
        case .dataEnd:
            guard byte == .carriageReturn else { throw .missingChunkEnd }
            state = .dataLineFeed
        case .dataLineFeed:
            guard byte == .lineFeed else { throw .bareCarriageReturn }
            state = .size
        case .trailerStart:
            guard byte == .carriageReturn else {
                state = .trailers
                return
            }
            state = .lastLineFeed
        case .lastLineFeed:
            guard byte == .lineFeed else { throw .bareCarriageReturn }
            state = .ended
        case .trailers:
            try stepTrailers(bytes, &index)
            return
        case .ended:
            return
        }
        index += 1
    }

    /// Whether an extension may end here.
    private var endsExtension: Bool {
        state == .moreExtensionName || state == .moreExtensionValue || state == .afterQuoted
    }

    private mutating func stepExtension(_ byte: UInt8) throws(BodyFault) {
        if byte == .lineFeed { throw .bareLineFeed }
        switch (state, byte) {
        case (.extensionStart, .semicolon): state = .extensionName
        case (.moreExtensionName, .semicolon), (.moreExtensionValue, .semicolon), (.afterQuoted, .semicolon):
            state = .extensionName
        case (.moreExtensionName, .equals): state = .extensionValue
        case (.extensionValue, .quote): state = .quoted
        case (.quoted, .quote): state = .afterQuoted
        case (.quoted, .backslash): state = .escaped
        case (.quoted, _), (.escaped, _):
            guard byte == .tab || byte >= .space && byte != 0x7F else { throw .invalidExtension }
            state = .quoted
        default:
            guard state != .afterQuoted, ByteSet.token.contains(byte) else { throw .invalidExtension }
            if state == .extensionName { state = .moreExtensionName }
            if state == .extensionValue { state = .moreExtensionValue }
        }
    }

    /// The bytes to be sent behind the body once it has ended.
    var trailerSection: [UInt8] {
        if case .whole(let section) = trailers { section } else { [] }
    }

    private mutating func stepTrailers(_ bytes: Span<UInt8>, _ index: inout Int) throws(BodyFault) {
        var section: [UInt8] = []
        var scanner = FieldScanner(limit: Self.trailerFieldLimit)
        var position = 0
        if case .arriving(let before, let scannerBefore, let positionBefore) = trailers {
            (section, scanner, position) = (before, scannerBefore, positionBefore)
        }
        let before = section.count
        let count = min(bytes.count - index, Self.trailerLimit - before)
        section.append(bytes, index..<index + count)
        switch scanner.scan(section.span, from: &position, to: section.count) {
        case .incomplete:
            guard section.count < Self.trailerLimit else { throw .trailersTooLarge }
            index += count
            trailers = .arriving(section, scanner, position: position)
        case .complete:
            index += position - before
            trailers = .whole(harmless(scanner.fields, of: section))
            state = .ended
        case .invalid(let fault):
            throw fault == .tooManyFields ? .trailersTooLarge : .invalidTrailer
        }
    }

    /// Leaves only fields that mean nothing to a proxy, as a reader that merges trailers into the head would be misled by
    /// the others (RFC 9110 section 6.5.1).
    private func harmless(_ fields: [HeadField], of received: [UInt8]) -> [UInt8] {
        guard output == .sameFraming else { return [] }
        var section: [UInt8] = []
        for field in fields where field.name == .other {
            section.append(received.span, field.lineRange)
        }
        section += Text.lineEnd
        return section
    }
}

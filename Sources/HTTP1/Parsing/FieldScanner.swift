/// Finds the field lines of a head or a trailer section, and its empty line, in bytes that arrive piece by piece.
struct FieldScanner: Sendable {
    enum Progress {
        case incomplete
        case complete
        case invalid(FieldFault)
    }

    private enum State: UInt8 {
        case lineStart, name, beforeValue, value, lineFeed, lastLineFeed
    }

    private(set) var fields: [HeadField] = []
    private let limit: Int
    private let names = FieldNameTable.shared
    private var state = State.lineStart
    private var lineStart = 0
    private var nameEnd = 0
    private var valueStart = 0
    private var valueEnd = 0

    /// - Parameter limit: the most fields.
    init(limit: Int) {
        self.limit = limit
    }

    /// Begins again; the memory is kept.
    mutating func reset() {
        fields.removeAll(keepingCapacity: true)
        state = .lineStart
    }

    /// Looks at the bytes from `position`, and moves it behind what has been looked at. Bytes before it are the same as
    /// in the earlier calls.
    mutating func scan(_ bytes: Span<UInt8>, from position: inout Int, to end: Int) -> Progress {
        var index = position
        precondition(index >= 0 && end <= bytes.count)
        defer { position = index }
        while index < end {
            switch state {
            case .lineStart:
                let byte = bytes[index]
                if byte == .carriageReturn {
                    state = .lastLineFeed
                    index &+= 1
                    continue
                }
                guard ByteSet.token.contains(byte) else { return .invalid(Self.fault(atLineStart: byte)) }
                guard fields.count < limit else { return .invalid(.tooManyFields) }
                lineStart = index
                index &+= 1
                state = .name
            case .name:
                index = bytes.endOfName(from: index, to: end)
                guard index < end else { return .incomplete }
                guard bytes[index] == .colon else { return .invalid(Self.fault(inName: bytes[index])) }
                nameEnd = index
                index &+= 1
                state = .beforeValue
            case .beforeValue:
                while index < end, bytes[index].isBlank { index &+= 1 }
                guard index < end else { return .incomplete }
                valueStart = index
                state = .value
            case .value:
                index = bytes.endOfText(from: index, to: end)
                guard index < end else { return .incomplete }
                switch bytes[index] {
                case .carriageReturn: break
                case .lineFeed: return .invalid(.bareLineFeed)
                default: return .invalid(.controlInValue)
                }
                valueEnd = index
                while valueEnd > valueStart, bytes[valueEnd &- 1].isBlank { valueEnd &-= 1 }
                index &+= 1
                state = .lineFeed
            case .lineFeed:
                guard bytes[index] == .lineFeed else { return .invalid(.bareCarriageReturn) }
                index &+= 1
                // Once, instead of growing step by step: few heads have more.
                if fields.capacity == 0 { fields.reserveCapacity(min(limit, 24)) }
                fields.append(
                    HeadField(
                        names.name(of: FoldedToken(bytes, lineStart..<nameEnd)), start: lineStart, nameEnd: nameEnd,
                        value: valueStart..<valueEnd, end: index))
                state = .lineStart
            case .lastLineFeed:
                guard bytes[index] == .lineFeed else { return .invalid(.bareCarriageReturn) }
                index &+= 1
                return .complete
            }
        }
        return .incomplete
    }

    private static func fault(atLineStart byte: UInt8) -> FieldFault {
        switch byte {
        case .space, .tab: .foldedLine
        case .colon: .emptyName
        case .lineFeed: .bareLineFeed
        default: .invalidName
        }
    }

    private static func fault(inName byte: UInt8) -> FieldFault {
        switch byte {
        case .space, .tab: .blankBeforeColon
        case .carriageReturn: .missingColon
        case .lineFeed: .bareLineFeed
        default: .invalidName
        }
    }
}

/// Copies a head field by field, with as few and long copies as possible: a field that stays goes in one piece with its
/// neighbours.
struct HeadCopy {
    /// The beginning of the piece that has not been copied yet.
    private var start: Int

    init(from start: Int) {
        self.start = start
    }

    /// Copies everything up to here, and goes on behind `range`.
    mutating func replace(_ range: Range<Int>, _ bytes: Span<UInt8>, into output: inout [UInt8]) {
        output.append(bytes, start..<max(start, range.lowerBound))
        start = range.upperBound
    }

    /// Leaves the field out.
    mutating func drop(_ field: HeadField, _ bytes: Span<UInt8>, into output: inout [UInt8]) {
        replace(field.lineRange, bytes, into: &output)
    }

    /// Copies up to the field's value; the caller appends another one, and the line's end follows.
    mutating func replaceValue(of field: HeadField, _ bytes: Span<UInt8>, into output: inout [UInt8]) {
        replace(field.valueRange.lowerBound..<field.lineRange.upperBound - 2, bytes, into: &output)
    }

    /// The framing fields go on as they were understood, in their plainest form.
    mutating func copyFraming(_ field: HeadField, _ bytes: Span<UInt8>, into output: inout [UInt8]) {
        let value = field.valueRange
        switch field.name {
        case .contentLength where value.count > 1 && bytes[value.lowerBound] == .zero:
            var digits = value
            while digits.count > 1, bytes[digits.lowerBound] == .zero {
                digits = digits.lowerBound + 1..<digits.upperBound
            }
            replaceValue(of: field, bytes, into: &output)
            output.append(bytes, digits)
        case .transferEncoding where !Self.isLowercase(bytes, value):
            replaceValue(of: field, bytes, into: &output)
            output += Text.chunked
        default:
            break
        }
    }

    private static func isLowercase(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        for index in range where bytes[index] != bytes[index].lowercased { return false }
        return true
    }

    /// Copies the rest up to `end`.
    mutating func finish(at end: Int, _ bytes: Span<UInt8>, into output: inout [UInt8]) {
        replace(max(start, end)..<max(start, end), bytes, into: &output)
    }
}

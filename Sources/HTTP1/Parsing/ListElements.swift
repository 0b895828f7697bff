/// The elements of a comma-separated list (RFC 9110 section 5.6.1), without the blanks around them. Empty ones are left
/// out. A comma in a quoted string is no different here: no list that is read with this has any.
struct ListElements {
    private var rest: Range<Int>

    init(_ value: Range<Int>) {
        rest = value
    }

    mutating func next(in bytes: Span<UInt8>) -> Range<Int>? {
        while !rest.isEmpty {
            let end = bytes.firstIndex(of: .comma, in: rest) ?? rest.upperBound
            let element = bytes.trimmed(rest.lowerBound..<end)
            rest = min(end + 1, rest.upperBound)..<rest.upperBound
            if !element.isEmpty { return element }
        }
        return nil
    }
}

extension Span<UInt8> {
    /// Returns eight bytes from `index`, the first one lowest. One load in the machine: the compiler sees that they are neighbours.
    @inline(__always)
    func word(at index: Int) -> UInt64 {
        let part = extracting(index..<index &+ 8)
        return UInt64(part[0]) | UInt64(part[1]) << 8 | UInt64(part[2]) << 16 | UInt64(part[3]) << 24
            | UInt64(part[4]) << 32 | UInt64(part[5]) << 40 | UInt64(part[6]) << 48 | UInt64(part[7]) << 56
    }

    /// Returns the range without blanks at its ends.
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, self[start].isBlank { start += 1 }
        while end > start, self[end - 1].isBlank { end -= 1 }
        return start..<end
    }

    /// Returns the first index of the byte in the range.
    func firstIndex(of byte: UInt8, in range: Range<Int>) -> Int? {
        for index in range where self[index] == byte { return index }
        return nil
    }

    /// Whether both ranges hold the same text, but for the case of ASCII letters.
    func equals(_ range: Range<Int>, _ other: Span<UInt8>, _ otherRange: Range<Int>) -> Bool {
        guard range.count == otherRange.count else { return false }
        for offset in 0..<range.count {
            let (left, right) = (self[range.lowerBound + offset], other[otherRange.lowerBound + offset])
            guard left == right || left.lowercased == right.lowercased else { return false }
        }
        return true
    }

    /// Whether the range holds this text, but for the case of ASCII letters.
    func equals(_ range: Range<Int>, _ text: [UInt8]) -> Bool {
        equals(range, text.span, 0..<text.count)
    }

    /// Whether the range begins with this text, but for the case of ASCII letters.
    func begins(_ range: Range<Int>, with text: [UInt8]) -> Bool {
        range.count >= text.count && equals(range.lowerBound..<range.lowerBound + text.count, text)
    }
}

extension UInt8 {
    var lowercased: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }
}

extension [UInt8] {
    /// Appends a part of the bytes.
    mutating func append(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        guard !range.isEmpty else { return }
        let part = bytes.extracting(range)
        append(addingCapacity: part.count) { output in
            for index in part.indices { output.append(part[index]) }
        }
    }

    /// Appends a number in decimal digits.
    mutating func append(decimal number: UInt64) {
        var divisor: UInt64 = 1
        while number / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            append(.zero + UInt8(number / divisor % 10))
            divisor /= 10
        }
    }
}

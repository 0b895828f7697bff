/// Searches that look at eight bytes at a time. A byte that is marked wrongly in a word stands above one that is marked rightly
/// (a borrow goes upwards), and only the lowest mark is taken.
extension Span<UInt8> {
    /// Returns the first index from `start` that holds no text: a control character other than the tab. `end` if none.
    @inline(__always)
    func endOfText(from start: Int, to end: Int) -> Int {
        var index = start
        while true {
            while end &- index >= 8 {
                let word = word(at: index)
                let marks = Self.below(word, 0x20) | Self.equal(word, 0x7F)
                if marks != 0 {
                    index &+= marks.trailingZeroBitCount >> 3
                    break
                }
                index &+= 8
            }
            while index < end {
                let byte = self[index]
                if byte < .space || byte == 0x7F {
                    guard byte == .tab else { return index }
                    index &+= 1
                    break
                }
                index &+= 1
            }
            if index >= end { return end }
        }
    }

    /// Returns the first index from `start` that holds no character of a token; `end` if none.
    @inline(__always)
    func endOfName(from start: Int, to end: Int) -> Int {
        var index = start
        // Most names are letters and hyphens.
        while end &- index >= 8 {
            let word = word(at: index)
            let lower = (word | 0x2020_2020_2020_2020) & 0x7F7F_7F7F_7F7F_7F7F
            // From `a` upwards, but not beyond `z`.
            let letters = (lower &+ 0x1F1F_1F1F_1F1F_1F1F) & ~(lower &+ 0x0505_0505_0505_0505)
            let others = (~letters | word) & 0x8080_8080_8080_8080 & ~Self.hyphens(word)
            if others != 0 {
                index &+= others.trailingZeroBitCount >> 3
                break
            }
            index &+= 8
        }
        while index < end, ByteSet.token.contains(self[index]) { index &+= 1 }
        return index
    }

    /// Returns the first index from `start` that holds no character of a target; `end` if none.
    @inline(__always)
    func endOfTarget(from start: Int, to end: Int) -> Int {
        var index = start
        while end &- index >= 8 {
            let word = word(at: index)
            let marks =
                Self.below(word, 0x21) | Self.equal(word, 0x7F) | Self.equal(word, 0x23) | word & 0x8080_8080_8080_8080
            if marks != 0 { return index &+ marks.trailingZeroBitCount >> 3 }
            index &+= 8
        }
        while index < end, ByteSet.target.contains(self[index]) { index &+= 1 }
        return index
    }

    /// Marks the bytes below `limit`, which is at most 0x80.
    @inline(__always)
    private static func below(_ word: UInt64, _ limit: UInt64) -> UInt64 {
        (word &- limit &* 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
    }

    /// Marks the bytes that are `byte`.
    @inline(__always)
    private static func equal(_ word: UInt64, _ byte: UInt64) -> UInt64 {
        below(word ^ byte &* 0x0101_0101_0101_0101, 1)
    }

    /// Marks exactly the hyphens.
    @inline(__always)
    private static func hyphens(_ word: UInt64) -> UInt64 {
        let other = word ^ 0x2D2D_2D2D_2D2D_2D2D
        let low: UInt64 = 0x7F7F_7F7F_7F7F_7F7F
        return ~(((other & low) &+ low) | other | low)
    }
}

/// A short text in lower case as three machine words, so that comparing two takes a few instructions.
///
/// Bit 5 is set in every byte. Among the characters of a token that makes no two equal that differ by more than the case
/// of a letter, except `^` and `~`, which none of the texts has that anything is compared with.
struct FoldedToken: Equatable, Sendable {
    static let longest = 24

    private(set) var words: (UInt64, UInt64, UInt64) = (0, 0, 0)
    let length: Int

    /// Of a text longer than ``longest``, only the beginning and the length.
    @inline(__always)
    init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        length = range.count
        let start = range.lowerBound
        words.0 = Self.word(bytes, start, length)
        if length > 8 { words.1 = Self.word(bytes, start &+ 8, length &- 8) }
        if length > 16 { words.2 = Self.word(bytes, start &+ 16, length &- 16) }
    }

    init(_ text: String) {
        let bytes = Array(text.utf8)
        precondition(bytes.count <= Self.longest)
        self.init(bytes.span, 0..<bytes.count)
    }

    /// Up to eight bytes with bit 5 set, zero behind them.
    @inline(__always)
    private static func word(_ bytes: Span<UInt8>, _ start: Int, _ count: Int) -> UInt64 {
        let unused = UInt64(8 &- min(count, 8)) &* 8
        let bits: UInt64 = 0x2020_2020_2020_2020
        guard bytes.count &- start < 8 else { return ((bytes.word(at: start) | bits) << unused) >> unused }
        var word: UInt64 = 0
        for index in (start..<start + min(count, 8)).reversed() { word = word << 8 | UInt64(bytes[index]) }
        return ((word | bits) << unused) >> unused
    }

    static func == (left: FoldedToken, right: FoldedToken) -> Bool {
        left.length == right.length && left.words == right.words
    }

    var hash: UInt64 {
        let mixed = words.0 &* 0x9E37_79B9_7F4A_7C15 ^ words.1 &* 0xC2B2_AE3D_27D4_EB4F ^ words.2 ^ UInt64(length)
        return mixed ^ mixed >> 29
    }

    /// The same with a hyphen for every underscore; nil when there is none.
    var hyphenated: FoldedToken? {
        // Bit 5 makes 0x7F of an underscore, and no token has a character that is 0x7F.
        guard Self.hasDelete(words.0) || Self.hasDelete(words.1) || Self.hasDelete(words.2) else { return nil }
        func replace(_ word: UInt64) -> UInt64 {
            var result = word
            for shift in stride(from: UInt64(0), to: 64, by: 8) where word >> shift & 0xFF == 0x7F {
                result = result & ~(0xFF << shift) | 0x2D << shift
            }
            return result
        }
        var other = self
        other.words = (replace(words.0), replace(words.1), replace(words.2))
        return other
    }

    /// Whether a byte is 0x7F.
    @inline(__always)
    private static func hasDelete(_ word: UInt64) -> Bool {
        let other = word ^ 0x7F7F_7F7F_7F7F_7F7F
        return (other &- 0x0101_0101_0101_0101) & ~other & 0x8080_8080_8080_8080 != 0
    }

    static let chunked = FoldedToken("chunked")
    static let close = FoldedToken("close")
    static let keepAlive = FoldedToken("keep-alive")
    static let upgrade = FoldedToken("upgrade")
    static let webSocket = FoldedToken("websocket")
    static let continue100 = FoldedToken("100-continue")
}

/// Text for a terminal of some width: without anything that would command it, and cut to what fits.
struct ScreenText {
    /// The style of a part of a line.
    enum Emphasis: String {
        case none = ""
        case strong = "1"
        case faint = "2"
        case heading = "7"
        case good = "32"
        case bad = "1;31"

        /// Whether it is a matter of colour, which NO_COLOR forbids (no-color.org).
        var isColour: Bool { self == .good || self == .bad }
    }

    /// Whether emphasis is shown at all, as only a terminal can, and whether in colours.
    struct Style: Sendable {
        var hasEmphasis: Bool
        var hasColours: Bool

        init(hasEmphasis: Bool, hasColours: Bool) {
            self.hasEmphasis = hasEmphasis
            self.hasColours = hasColours
        }
    }

    private(set) var text: String
    /// The number of columns that it takes.
    private(set) var width: Int

    /// Text from anywhere.
    init(_ text: String) {
        self.text = ""
        width = 0
        for character in text {
            let isHarmless = character.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F ~= $0.value) }
            append(isHarmless ? character : "?")
        }
    }

    private mutating func append(_ character: Character) {
        text.append(character)
        width += Self.width(of: character)
    }

    /// At most so many columns; what is cut off is shown by `…`.
    func cut(to limit: Int) -> ScreenText {
        guard width > limit else { return self }
        var result = ScreenText("")
        for character in text {
            guard result.width + Self.width(of: character) < limit else { break }
            result.append(character)
        }
        if limit > 0 { result.append("…") }
        return result
    }

    /// Exactly so many columns.
    func filled(to width: Int, isRight: Bool) -> String {
        let cut = cut(to: width)
        let gap = String(repeating: " ", count: max(0, width - cut.width))
        return isRight ? gap + cut.text : cut.text + gap
    }

    static func emphasised(_ text: String, _ emphasis: Emphasis, _ style: Style) -> String {
        guard style.hasEmphasis, emphasis != .none, style.hasColours || !emphasis.isColour else { return text }
        return "\u{1B}[\(emphasis.rawValue)m\(text)\u{1B}[0m"
    }

    /// Two for what East Asian scripts and pictures take, as terminals have it; one for everything else.
    private static func width(of character: Character) -> Int {
        guard let scalar = character.unicodeScalars.first else { return 0 }
        return switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
            0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
            2
        default: 1
        }
    }
}

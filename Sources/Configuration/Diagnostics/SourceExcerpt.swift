/// A line of a file and a mark under a part of it, both fit for a terminal: tabs are spaces, nothing in the line can
/// command the terminal, and of a very long line there is only what surrounds the mark.
struct SourceExcerpt {
    /// The part of the line that is shown.
    private(set) var text = ""
    /// `^~~~`, at its place.
    private(set) var mark = ""

    /// The most characters that are shown, and the most of them in front of the mark.
    private static let most = 120
    private static let before = 80
    private static let tabWidth = 4

    /// - Parameters:
    ///   - line: UTF-8, as far as it goes.
    ///   - column: where the mark begins, counted from 1 in Unicode scalars; may be behind the line's end.
    ///   - width: how many scalars it marks.
    init(of line: ArraySlice<UInt8>, from column: Int, width: Int) {
        let first = column - 1
        let start = first + Self.most - Self.before <= Self.most ? 0 : first - Self.before
        let window = Self.scalars(of: line, from: start, count: Self.most)
        let marked = first..<first + max(width, 1)
        var columns = 0
        if start > 0 { show("…", at: &columns, isMarked: false) }
        var index = start
        for character in window.text {
            let isMarked = index < marked.upperBound && index + character.unicodeScalars.count > marked.lowerBound
            show(character, at: &columns, isMarked: isMarked)
            index += character.unicodeScalars.count
        }
        if window.isCut { show("…", at: &columns, isMarked: false) }
        // Behind the end of the line, such as where a value is missing.
        if mark.isEmpty { mark = String(repeating: " ", count: columns + max(first - index, 0)) + "^" }
    }

    private mutating func show(_ character: Character, at column: inout Int, isMarked: Bool) {
        let shown =
            character == "\t"
            ? String(repeating: " ", count: Self.tabWidth - column % Self.tabWidth) : printable(character)
        let width = shown.reduce(0) { $0 + $1.terminalColumns }
        text += shown
        if isMarked, width > 0 {
            if mark.isEmpty { mark = String(repeating: " ", count: column) + "^" } else { mark += "~" }
            mark += String(repeating: "~", count: width - 1)
        }
        column += width
    }

    /// The scalars of the line from one on, and whether there are more behind them.
    private static func scalars(of line: ArraySlice<UInt8>, from start: Int, count: Int) -> (text: String, isCut: Bool)
    {
        var scalar = -1
        var window = line[line.endIndex...]
        var isCut = false
        for index in line.indices where line[index] & 0xC0 != 0x80 {
            scalar += 1
            if scalar == start { window = line[index...] }
            if scalar == start + count {
                window = window[..<index]
                isCut = true
                break
            }
        }
        return (String(decoding: window, as: UTF8.self), isCut)
    }
}

extension Character {
    /// The number of columns that the character takes in a terminal: 2 for East Asian wide ones and emoji (UAX #11).
    fileprivate var terminalColumns: Int {
        guard let first = unicodeScalars.first else { return 0 }
        if unicodeScalars.contains(where: { $0.properties.isEmojiPresentation || $0.value == 0xFE0F }) { return 2 }
        switch first.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return 0
        default: return first.isWide ? 2 : 1
        }
    }
}

extension Unicode.Scalar {
    /// Whether the scalar is in one of the blocks of East Asian wide characters.
    fileprivate var isWide: Bool {
        switch value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
            0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF00...0xFF60,
            0xFFE0...0xFFE6, 0x20000...0x3FFFD:
            true
        default: false
        }
    }
}

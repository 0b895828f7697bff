/// A key that `top` knows.
enum TerminalKey: Equatable {
    case quit
    case up
    case down
    case pageUp
    case pageDown
    case top
    case bottom

    /// The keys in what a terminal has sent; others are left out.
    static func keys(in bytes: [UInt8]) -> [TerminalKey] {
        var keys: [TerminalKey] = []
        var rest = bytes[...]
        while let first = rest.first {
            if let (sequence, key) = sequences.first(where: { rest.starts(with: $0.sequence.utf8) }) {
                if let key { keys.append(key) }
                rest = rest.dropFirst(sequence.utf8.count)
                continue
            }
            switch first {
            case UInt8(ascii: "q"), UInt8(ascii: "Q"), 0x03: keys.append(.quit)
            case UInt8(ascii: "k"): keys.append(.up)
            case UInt8(ascii: "j"): keys.append(.down)
            case UInt8(ascii: "g"): keys.append(.top)
            case UInt8(ascii: "G"): keys.append(.bottom)
            case UInt8(ascii: " "): keys.append(.pageDown)
            default: break
            }
            rest = rest.dropFirst()
        }
        return keys
    }

    /// The sequences that terminals send for keys without a character (ECMA-48), in both modes of their cursor keys.
    private static let sequences: [(sequence: String, key: TerminalKey?)] = [
        ("\u{1B}[A", .up), ("\u{1B}OA", .up), ("\u{1B}[B", .down), ("\u{1B}OB", .down),
        ("\u{1B}[5~", .pageUp), ("\u{1B}[6~", .pageDown), ("\u{1B}[H", .top), ("\u{1B}OH", .top),
        ("\u{1B}[1~", .top), ("\u{1B}[F", .bottom), ("\u{1B}OF", .bottom), ("\u{1B}[4~", .bottom),
        ("\u{1B}[C", nil), ("\u{1B}[D", nil),
    ]
}

/// Text from outside, in quotes, short enough for a line and harmless for a terminal.
func quoted(_ text: String) -> String {
    let longest = 60
    let shown = text.unicodeScalars.prefix(longest).map { scalar in
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: scalar.escaped(asASCII: true)
        default: String(scalar)
        }
    }
    let isCut = text.unicodeScalars.dropFirst(longest).first != nil
    return "'\(shown.joined())\(isCut ? "…" : "")'"
}

/// `a, b or c`
func listed(_ words: [String]) -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    return "\(words.dropLast().joined(separator: ", ")) or \(last)"
}

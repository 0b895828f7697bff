/// Text from outside, in quotes, short enough for a line and harmless for a terminal.
func quoted(_ text: String) -> String {
    let longest = 60
    let shown = String(text.unicodeScalars.prefix(longest)).map(printable)
    let isCut = text.unicodeScalars.dropFirst(longest).first != nil
    return "'\(shown.joined())\(isCut ? "…" : "")'"
}

/// The character, or its number where it could do something to a terminal.
func printable(_ character: Character) -> String {
    // The joiner of an emoji's parts is a format character, too.
    let isJoined = character.unicodeScalars.first?.properties.isEmoji == true
    return character.unicodeScalars.map { isJoined && $0.value == 0x200D ? String($0) : printable($0) }.joined()
}

private func printable(_ scalar: Unicode.Scalar) -> String {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: scalar.escaped(asASCII: true)
    default: String(scalar)
    }
}

/// `a, b or c`
func listed(_ words: [String]) -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    return "\(words.dropLast().joined(separator: ", ")) or \(last)"
}

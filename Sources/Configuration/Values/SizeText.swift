/// The units of sizes, the largest first.
private enum SizeUnit: String, CaseIterable {
    case gibibyte = "GiB"
    case mebibyte = "MiB"
    case kibibyte = "KiB"
    case byte = "B"

    var bytes: Int {
        switch self {
        case .gibibyte: 1 << 30
        case .mebibyte: 1 << 20
        case .kibibyte: 1 << 10
        case .byte: 1
        }
    }
}

extension ValueKind<Int> {
    /// A number of bytes, with a unit.
    static func size(_ range: ClosedRange<Int>) -> ValueKind {
        let expected = "a size such as 64KiB"
        return ValueKind(
            expected, type: "size, \(sizeText(range.lowerBound)) to \(sizeText(range.upperBound))",
            unit: "`B`, `KiB`, `MiB`, `GiB`", placeholder: "SIZE",
            schemas: [.pattern("^0*[1-9][0-9]*(B|KiB|MiB|GiB)$")],
            suggest: { guessedSize($0).flatMap { range.contains($0) ? sizeText($0) : nil } },
            parse: { text throws(ValueError) in
                let digits = text.prefix { $0.isASCII && $0.isNumber }
                let suffix = text.dropFirst(digits.count)
                guard !digits.isEmpty else { return nil }
                guard !suffix.isEmpty else {
                    throw ValueError("expected \(expected), found \(quoted(text)) without a unit (B, KiB, MiB or GiB)")
                }
                guard let unit = SizeUnit(rawValue: String(suffix)) else { return nil }
                // More digits than fit are more than the largest, whatever the unit.
                let (bytes, isTooLarge) = (Int(digits) ?? .max).multipliedReportingOverflow(by: unit.bytes)
                guard !isTooLarge, bytes <= range.upperBound else {
                    throw ValueError("\(quoted(text)) is more than the most possible, \(sizeText(range.upperBound))")
                }
                guard bytes >= range.lowerBound else {
                    throw ValueError("\(quoted(text)) is less than the least possible, \(sizeText(range.lowerBound))")
                }
                return bytes
            }, write: sizeText)
    }
}

/// The size in the largest unit in which it is a whole number: `64KiB`, `1MiB`, `1500B`.
@Sendable private func sizeText(_ bytes: Int) -> String {
    let unit = SizeUnit.allCases.first { bytes % $0.bytes == 0 } ?? .byte
    return "\(bytes / unit.bytes)\(unit.rawValue)"
}

/// Guesses a size in another notation: `64k`, `64 KB`, `1M`.
private func guessedSize(_ text: String) -> Int? {
    let text = text.lowercased().filter { !$0.isWhitespace }
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard digits.utf8.count <= 9, let count = Int(digits) else { return nil }
    switch text.dropFirst(digits.count) {
    case "b", "byte", "bytes": return count
    case "k", "kb", "ki", "kib": return count << 10
    case "m", "mb", "mi", "mib": return count << 20
    case "g", "gb", "gi", "gib": return count << 30
    default: return nil
    }
}

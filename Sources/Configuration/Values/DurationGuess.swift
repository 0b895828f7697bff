/// Guesses a duration in another notation: `1.5s`, `10 sec`, `1h30m`, `2d`.
struct DurationGuess {
    private let milliseconds: Int

    /// Nil where the text makes no sense as a duration.
    init?(_ text: String) {
        var rest = text.lowercased().filter { !$0.isWhitespace }[...]
        var total = 0
        // A guess is for slips; nobody writes more than hours, minutes, seconds and milliseconds.
        for _ in 0..<4 where !rest.isEmpty {
            let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(number.count)
            let unit = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard !number.isEmpty, number.utf8.count <= 9, let count = Double(String(number)),
                let factor = Self.milliseconds(of: String(unit)), let exact = Int(exactly: (count * factor).rounded()),
                Double(exact) / factor == count
            else { return nil }
            total += exact
        }
        guard rest.isEmpty, total > 0 else { return nil }
        milliseconds = total
    }

    /// The right notation; nil where the duration is out of bounds.
    func text(from shortest: Duration, to longest: Duration) -> String? {
        shortest...longest ~= .milliseconds(milliseconds) ? durationText(.milliseconds(milliseconds)) : nil
    }

    private static func milliseconds(of unit: String) -> Double? {
        switch unit {
        case "ms", "msec", "msecs", "millis", "millisecond", "milliseconds": 1
        case "s", "sec", "secs", "second", "seconds": 1000
        case "m", "min", "mins", "minute", "minutes": 60_000
        case "h", "hr", "hrs", "hour", "hours": 3_600_000
        case "d", "day", "days": 86_400_000
        default: nil
        }
    }
}

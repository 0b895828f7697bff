extension ValueKind<Duration> {
    /// A number with a unit, at most a year.
    static func duration(atLeast shortest: Duration = .zero) -> ValueKind {
        let longest = Duration.seconds(365 * 24 * 3600)
        let something = JSONValue.pattern("^0*[1-9][0-9]*(ms|s|m|h)$")
        let nothing = [JSONValue.pattern("^0+(ms|s|m|h)?$"), .object([("const", .number(0))])]
        return ValueKind(
            "a duration such as 10s",
            type: shortest > .zero ? "duration, at least \(durationText(shortest))" : "duration",
            unit: "`ms`, `s`, `m`, `h`", placeholder: "DURATION",
            schemas: [something] + (shortest > .zero ? [] : nothing),
            suggest: { DurationGuess($0)?.text(from: shortest, to: longest) },
            parse: { text throws(ValueError) in
                let digits = text.prefix { $0.isASCII && $0.isNumber }
                let unit = text.dropFirst(digits.count)
                guard !digits.isEmpty, unit.isEmpty || DurationUnit(rawValue: String(unit)) != nil else { return nil }
                // More digits than fit are more than the longest, whatever the unit.
                let count = Int(digits) ?? .max
                if unit.isEmpty, count != 0 {
                    throw ValueError(
                        "expected a duration such as 10s, found \(quoted(text)) without a unit (ms, s, m or h)")
                }
                let milliseconds = DurationUnit(rawValue: String(unit))?.milliseconds ?? 1
                let (total, isTooLarge) = count.multipliedReportingOverflow(by: milliseconds)
                guard !isTooLarge, .milliseconds(total) <= longest else {
                    throw ValueError("\(quoted(text)) is longer than the longest duration, \(durationText(longest))")
                }
                guard .milliseconds(total) >= shortest else {
                    throw ValueError("\(quoted(text)) is shorter than the shortest possible, \(durationText(shortest))")
                }
                return .milliseconds(total)
            }, write: durationText)
    }
}

/// The units of durations, the longest first.
enum DurationUnit: String, CaseIterable {
    case hour = "h"
    case minute = "m"
    case second = "s"
    case millisecond = "ms"

    var milliseconds: Int {
        switch self {
        case .hour: 3_600_000
        case .minute: 60_000
        case .second: 1000
        case .millisecond: 1
        }
    }
}

/// The duration in the longest unit in which it is a whole number: `90s`, `5m`, `0s`.
@Sendable public func durationText(_ duration: Duration) -> String {
    let milliseconds = Int(duration / .milliseconds(1))
    let unit = DurationUnit.allCases.first { milliseconds % $0.milliseconds == 0 } ?? .millisecond
    return milliseconds == 0 ? "0s" : "\(milliseconds / unit.milliseconds)\(unit.rawValue)"
}

/// The duration that a text such as `250ms`, `10s` or `0` says; nil where it says none.
public func durationValue(_ text: String) -> Duration? {
    try? ValueKind<Duration>.duration().read(text)
}

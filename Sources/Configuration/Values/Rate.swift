internal import YAML

/// A number in a second, a minute or an hour: `10/s`, `100/m`, `1000/h`.
public struct Rate: Sendable, Hashable, CustomStringConvertible {
    public enum Unit: String, Sendable, CaseIterable {
        case second = "s"
        case minute = "m"
        case hour = "h"
    }

    /// 1 to ``most``.
    public let count: Int
    public let unit: Unit

    public init(_ count: Int, per unit: Unit) {
        self.count = count
        self.unit = unit
    }

    /// The largest number of a rate.
    public static let most = 1_000_000

    /// The length of the unit.
    public var period: Duration {
        switch unit {
        case .second: .seconds(1)
        case .minute: .seconds(60)
        case .hour: .seconds(3600)
        }
    }

    public var description: String { "\(count)/\(unit.rawValue)" }
}

extension ValueKind<Rate?> {
    private static let unlimited = "unlimited"

    /// A rate, or none at all.
    static var rate: ValueKind {
        ValueKind(
            "unlimited or a rate such as 10/s, 100/m or 1000/h", type: "`unlimited`, or a rate such as `10/s`, `100/m`",
            placeholder: "unlimited|NUMBER/s|m|h",
            schemas: [
                .object([("const", .string(unlimited))]), .pattern("^0*([1-9][0-9]{0,5}|1000000)/[smh]$"),
            ],
            suggest: { text in guess(text) ?? nearestName(to: text.lowercased(), among: [unlimited]) },
            parse: { text in text == unlimited ? .some(nil) : rate(text).map { .some($0) } },
            write: { $0?.description ?? unlimited })
    }

    private static func rate(_ text: String) -> Rate? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let count = wholeNumber(parts[0]), 1...Rate.most ~= count,
            let unit = Rate.Unit(rawValue: parts[1])
        else { return nil }
        return Rate(count, per: unit)
    }

    /// The rate that people mean who write `10`, `10r/s` as for nginx, `10/sec` or `10 per minute`.
    private static func guess(_ text: String) -> String? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let count = wholeNumber(String(digits)), 1...Rate.most ~= count else { return nil }
        var rest = text.dropFirst(digits.count).lowercased().filter { $0 != " " }
        if rest.hasPrefix("r/") { rest.removeFirst() }
        if rest.hasPrefix("/") { rest.removeFirst() } else if rest.hasPrefix("per") { rest.removeFirst(3) }
        switch rest {
        case "", "sec", "second", "seconds", "s": return Rate(count, per: .second).description
        case "min", "minute", "minutes", "m": return Rate(count, per: .minute).description
        case "hour", "hours", "hr", "h": return Rate(count, per: .hour).description
        default: return nil
        }
    }
}

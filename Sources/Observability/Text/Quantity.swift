/// Numbers as people read them at a glance, in few characters.
enum Quantity {
    /// `0`, `640`, `12.3k`, `4.5M`.
    static func count(_ value: Double) -> String {
        scaled(value, by: 1000, units: ["", "k", "M", "G", "T"])
    }

    /// `0`, `640B`, `12.3KiB`, `4.5MiB`.
    static func bytes(_ value: Double) -> String {
        value < 0.5 ? "0" : scaled(value, by: 1024, units: ["B", "KiB", "MiB", "GiB", "TiB"])
    }

    /// A duration in seconds: `0.4ms`, `12ms`, `1.5s`, `12s`, `5m`.
    static func time(_ seconds: Double) -> String {
        let milliseconds = seconds * 1000
        return switch seconds {
        case ..<0.00995: "\(tenths(milliseconds))ms"
        case ..<0.9995: "\(whole(milliseconds))ms"
        case ..<9.95: "\(tenths(seconds))s"
        default: age(seconds)
        }
    }

    /// The units of an age.
    enum AgeUnits {
        /// `12s`, `5m`, `3h`, `2d`.
        case inTables
        /// `12 s`, `5 min`, `3 h`, `2 d`.
        case inText

        fileprivate var names: [String] {
            switch self {
            case .inTables: ["s", "m", "h", "d"]
            case .inText: [" s", " min", " h", " d"]
            }
        }
    }

    /// The age of a state: at least two of its unit, but for seconds.
    static func age(_ seconds: Double, units: AgeUnits = .inTables) -> String {
        let sizes = [1.0, 60, 3600, 86400]
        let unit = sizes.lastIndex { seconds >= 2 * $0 } ?? 0
        return whole((max(seconds, 0) / sizes[unit]).rounded(.down)) + units.names[unit]
    }

    private static func scaled(_ value: Double, by step: Double, units: [String]) -> String {
        var (value, unit) = (max(value, 0), 0)
        // A number that would be written as 1000 is one of the next unit.
        while value >= 999.5, unit + 1 < units.count { (value, unit) = (value / step, unit + 1) }
        let number = value < 99.95 && (unit > 0 || value != value.rounded()) ? tenths(value) : whole(value)
        return number + units[unit]
    }

    /// With one digit behind the point.
    private static func tenths(_ value: Double) -> String {
        let tenths = Int(clamping: (value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    private static func whole(_ value: Double) -> String { "\(Int(clamping: value.rounded()))" }
}

extension Int {
    /// Takes a value that is no number, or too large, for the largest.
    fileprivate init(clamping value: Double) {
        self = Int(exactly: value) ?? (value > 0 ? .max : .min)
    }
}

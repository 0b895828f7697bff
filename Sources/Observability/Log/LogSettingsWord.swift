/// The format and all parts' levels in one word, so that a line that is not written costs one load.
struct LogSettingsWord {
    /// Two bits for each part, and the topmost for the format.
    let bits: UInt64

    private static let jsonBit: UInt64 = 1 << 63

    init(bits: UInt64) {
        self.bits = bits
    }

    init(_ levels: LogLevels, _ format: LogFormat) {
        var bits: UInt64 = format == .json ? Self.jsonBit : 0
        for part in LogPart.allCases { bits |= UInt64(levels[part].severity) << Self.shift(of: part) }
        self.bits = bits
    }

    func level(of part: LogPart) -> LogLevel {
        LogLevel.allCases[Int(bits >> Self.shift(of: part) & 3)]
    }

    var format: LogFormat { bits & Self.jsonBit == 0 ? .text : .json }

    private static func shift(of part: LogPart) -> UInt64 {
        let place: UInt64 =
            switch part {
            case .access: 0
            case .admin: 1
            case .configuration: 2
            case .discovery: 3
            case .listeners: 4
            case .log: 5
            case .loop: 6
            case .process: 7
            case .upstream: 8
            }
        return 2 * place
    }
}

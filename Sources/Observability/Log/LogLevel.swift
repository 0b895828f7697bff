/// The severity of a log line; a log shows its own level and the more severe ones.
public enum LogLevel: String, CaseIterable, Comparable, Sendable {
    case debug
    case info
    case warning
    case error

    public static func < (left: LogLevel, right: LogLevel) -> Bool {
        left.severity < right.severity
    }

    /// The index in `allCases`.
    var severity: Int {
        switch self {
        case .debug: 0
        case .info: 1
        case .warning: 2
        case .error: 3
        }
    }
}

/// The format of log lines.
public enum LogFormat: String, CaseIterable, Sendable {
    /// For people: time, level, sentence, `key=value`.
    case text
    /// For machines: one JSON object a line (RFC 8259).
    case json
}

/// The least severe level that is written, of all parts and of those that have one of their own.
public struct LogLevels: Sendable, Equatable {
    /// The level of all parts without an exception.
    public var standard: LogLevel
    public var exceptions: [LogPart: LogLevel]

    public init(standard: LogLevel, exceptions: [LogPart: LogLevel] = [:]) {
        self.standard = standard
        self.exceptions = exceptions
    }

    /// The level of a part.
    public subscript(part: LogPart) -> LogLevel { exceptions[part] ?? standard }
}

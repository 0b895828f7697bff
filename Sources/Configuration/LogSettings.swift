public import Observability

/// What is logged, and how.
public struct LogSettings: Sendable, Equatable {
    /// The least severe level that is written.
    public var level: LogLevel = .info
    /// The form of a line.
    public var format: LogFormat = .text
    /// Whether each connection gets a line when it ends.
    public var access: Bool = true

    /// The defaults.
    public init() {}

    /// Log settings.
    public init(level: LogLevel, format: LogFormat, access: Bool) {
        self.level = level
        self.format = format
        self.access = access
    }
}

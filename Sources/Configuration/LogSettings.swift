public import Observability

/// What is logged, and how.
public struct LogSettings: Sendable, Equatable {
    /// The least severe level that is written.
    public var level: LogLevel = .info
    /// The same of the parts that have a level of their own.
    public var levels = PartLevels()
    /// The form of a line.
    public var format: LogFormat = .text
    /// Whether each connection gets a line when it ends.
    public var access: Bool = true

    /// The defaults.
    public init() {}

    /// Log settings.
    public init(level: LogLevel, levels: PartLevels = PartLevels(), format: LogFormat, access: Bool) {
        self.level = level
        self.levels = levels
        self.format = format
        self.access = access
    }

    /// The levels of all parts.
    public var allLevels: LogLevels { LogLevels(standard: level, exceptions: levels.byPart) }
}

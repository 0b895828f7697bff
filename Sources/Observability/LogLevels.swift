/// The least severe level that is written, of all parts and of those that have one of their own.
public struct LogLevels: Sendable, Equatable {
    /// Of the parts that are no exceptions.
    public var standard: LogLevel
    public var exceptions: [LogPart: LogLevel]

    public init(standard: LogLevel, exceptions: [LogPart: LogLevel] = [:]) {
        self.standard = standard
        self.exceptions = exceptions
    }

    /// The level of a part.
    public subscript(part: LogPart) -> LogLevel { exceptions[part] ?? standard }
}

public import Observability

/// What is logged, and how.
public struct LogSettings: Settings, KeyedMapping {
    /// The least severe level that is written.
    @Setting(
        .scalar(
            "level", .level, \Self.level, option: "log-level", help: "The least severe messages that are logged.",
            example: "warning"))
    public var level: LogLevel = .info

    /// The same of the parts that have a level of their own.
    @Setting(
        .mapping(
            "levels", \Self.levels, option: PartLevels.option,
            help: "Parts of the log that have a level of their own.", example: "{ upstream: debug }"))
    public var levels: PartLevels = PartLevels()

    /// The form of a line.
    @Setting(
        .scalar(
            "format", .choice(synonyms: ["plain": "text", "logfmt": "text"]), \Self.format, option: "log-format",
            help: "The form of a log line: text is for people, json for machines.", example: "json"))
    public var format: LogFormat = .text

    /// Whether each connection gets a line when it ends.
    @Setting(
        .scalar(
            "access", .boolean, \Self.access, option: "access-log",
            help: "Whether each connection, and with HTTP each request, gets a log line when it ends.",
            example: "false"))
    public var access: Bool = true

    public init() {}

    static let place = "in 'log'"
    static let keys = taggedKeys()

    /// The levels of all parts.
    public var allLevels: LogLevels { LogLevels(standard: level, exceptions: levels.byPart) }
}

public import Observability

/// The settings of the log (`log`).
public struct LogSettings: Settings, KeyedMapping {
    /// The least severe level that is written.
    @Setting(
        .scalar(
            "level", .level, \Self.level, option: "log-level", help: "The least severe level that is logged.",
            example: "warning"))
    public var level: LogLevel = .info

    /// The levels of single parts.
    @Setting(
        .mapping(
            "levels", \Self.levels, option: PartLevels.option,
            help: "Levels for single parts of the log; the other parts follow level.", example: "{ upstream: debug }"))
    public var levels: PartLevels = PartLevels()

    /// The format of log lines.
    @Setting(
        .scalar(
            "format", .choice(synonyms: ["plain": "text", "logfmt": "text"]), \Self.format, option: "log-format",
            help: "The format of log lines: text for people, json for machines.", example: "json"))
    public var format: LogFormat = .text

    /// Whether the end of each connection or request is logged.
    @Setting(
        .scalar(
            "access", .boolean, \Self.access, option: "access-log",
            help: "Whether the end of each connection, or with HTTP of each request, is logged.",
            example: "false"))
    public var access: Bool = true

    public init() {}

    static let place = "in 'log'"
    static let keys = taggedKeys()

    /// The levels of all parts.
    public var allLevels: LogLevels { LogLevels(standard: level, exceptions: levels.byPart) }
}

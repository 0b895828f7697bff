internal import Observability

extension LogSettings: KeyedMapping {
    static let place = "in 'log'"

    static let keys: [Key<LogSettings>] = [
        .scalar(
            "level", .level, \.level, option: "log-level", help: "The least severe messages that are logged.",
            example: "warning"),
        .mapping(
            "levels", \.levels, option: PartLevels.option, help: "Parts of the log that have a level of their own.",
            example: "{ upstream: debug }"),
        .scalar(
            "format", .choice(synonyms: ["plain": "text", "logfmt": "text"]), \.format, option: "log-format",
            help: "The form of a log line: text is for people, json for machines.", example: "json"),
        .scalar(
            "access", .boolean, \.access, option: "access-log",
            help: "Whether each connection, and with HTTP each request, gets a log line when it ends.",
            example: "false"),
    ]
}

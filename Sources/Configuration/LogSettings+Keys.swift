internal import Observability

extension LogSettings: KeyedMapping {
    static let place = "in 'log'"

    static let keys: [Key<LogSettings>] = [
        .scalar(
            "level", .choice(), \.level, option: "log-level", help: "The least severe messages that are logged."),
        .scalar("format", .choice(), \.format, option: "log-format", help: "The form of a log line."),
        .scalar(
            "access", .boolean, \.access, option: "access-log",
            help: "Whether each connection gets a log line when it ends."),
    ]
}

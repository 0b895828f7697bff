/// The settings that concern the program as a whole: the file's top level, without the routes and their `defaults`.
public struct ProgramSettings: Settings, KeyedMapping {
    /// The number of threads that carry traffic.
    @Setting(
        .scalar(
            "workers", .workers, \Self.workers, option: "workers", unit: "threads",
            help: "The number of threads that carry traffic; auto is one for each CPU that this process may use.",
            example: "2"))
    public var workers: WorkerCount = .auto

    /// The settings of the log (`log`).
    @Setting(
        .mapping(
            "log", \Self.log, help: "The log: its levels, its format, and the access log.",
            example: "{ level: debug, format: json }"))
    public var log: LogSettings = LogSettings()

    /// The settings of the admin port.
    @Setting(
        .mapping(
            "admin", \Self.admin, help: "The admin port, which serves metrics, health checks and a status page.",
            example: "{ listen: 0.0.0.0:9901 }"))
    public var admin: AdminSettings = AdminSettings()

    /// The time that running connections get to finish after SIGTERM.
    @Setting(
        .scalar(
            "drain", .duration(), \Self.drain, option: "drain",
            help: "The time that running connections get to finish after SIGTERM; 0s resets them at once.",
            example: "8s"))
    public var drain: Duration = .seconds(5)

    /// In bytes; nil for no limit but those of the container and the process.
    @Setting(
        .scalar(
            "memory", .automatic(.size(8 << 20...1 << 40)), \Self.memory, option: "memory",
            help: "The most memory that loopbridge itself may use; auto sets no limit of its own.", example: "64MiB"))
    public var memory: Int? = nil

    public init() {}

    static let place = "at the top level"
    static let keys = taggedKeys()
}

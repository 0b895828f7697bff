/// Everything that loopbridge is told, validated: what a worker needs, and nothing left to check.
///
/// ```swift
/// let configuration = try Configuration.load(ConfigurationSources(routes: ["8080:8000"]))
/// ```
public struct Configuration: Sendable, Equatable {
    /// How many threads carry traffic.
    public var workers: WorkerCount
    /// What is logged, and how.
    public var log: LogSettings
    /// Where the program tells about itself.
    public var admin: AdminSettings
    /// How long running connections may go on after SIGTERM.
    public var drain: Duration
    /// What routes start from, also those that are found while the program runs.
    public var defaults: RouteSettings
    /// Where clients are accepted and where they are carried.
    public var routes: [Route]

    /// A configuration; `load` is what validates one.
    public init(
        workers: WorkerCount = .auto, log: LogSettings = LogSettings(), admin: AdminSettings = AdminSettings(),
        drain: Duration = .seconds(5), defaults: RouteSettings = RouteSettings(), routes: [Route]
    ) {
        self.defaults = defaults
        self.workers = workers
        self.log = log
        self.admin = admin
        self.drain = drain
        self.routes = routes
    }
}

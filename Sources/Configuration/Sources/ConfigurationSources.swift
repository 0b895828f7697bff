/// All that loopbridge was told, from everywhere.
public struct ConfigurationSources: Sendable, Equatable {
    /// The configuration file.
    public var file: ConfigurationFile?
    /// The environment; only variables that begin with `LOOPBRIDGE_` are looked at, and empty ones are not set.
    public var environment: [String: String]
    /// The command line's options by name without dashes, as in ``ConfigurationOption/name``.
    public var options: [String: String]
    /// The command line's ROUTE arguments.
    public var routes: [String]

    /// Makes sources, each of which may be missing.
    public init(
        file: ConfigurationFile? = nil, environment: [String: String] = [:], options: [String: String] = [:],
        routes: [String] = []
    ) {
        self.file = file
        self.environment = environment
        self.options = options
        self.routes = routes
    }
}

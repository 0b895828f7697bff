internal import YAML

/// Everything that loopbridge is told, validated: what a worker needs, and nothing left to check.
///
/// ```swift
/// let configuration = try Configuration.load(ConfigurationSources(routes: ["8080:8000"]))
/// ```
@dynamicMemberLookup
public struct Configuration: Sendable, Equatable {
    /// The settings of the program as a whole; each is a property of the configuration too: `configuration.drain`.
    public var settings: ProgramSettings
    /// The settings that routes start from, including routes that are found while the program runs.
    public var defaults: RouteSettings
    /// The routes: where clients are accepted, and the app that each one forwards them to.
    public var routes: [Route]

    /// A configuration that nobody has validated; see ``load(_:requiresRoutes:)``.
    public init(
        _ settings: ProgramSettings = ProgramSettings(), defaults: RouteSettings = RouteSettings(), routes: [Route]
    ) {
        self.settings = settings
        self.defaults = defaults
        self.routes = routes
    }

    @inlinable
    public subscript<Value>(dynamicMember path: WritableKeyPath<ProgramSettings, Value>) -> Value {
        get { settings[keyPath: path] }
        set { settings[keyPath: path] = newValue }
    }
}

extension Configuration {
    /// Reads all sources, the command line above the environment above the file above the defaults, and checks
    /// that the whole makes sense.
    ///
    /// Routes from a higher source replace all of those from lower ones; what an option says of routes holds for
    /// every route.
    /// - Parameter requiresRoutes: whether it is a fault that no source gives a route; false where routes can be found
    ///   while the program runs.
    /// - Throws: ``ConfigurationErrors`` with every fault that was found.
    public static func load(
        _ sources: ConfigurationSources, requiresRoutes: Bool = true
    ) throws(ConfigurationErrors) -> Configuration {
        try LoadedConfiguration(sources, requiresRoutes: requiresRoutes).configuration
    }

    /// The configuration as a file that says every key, and that gives this configuration again when loaded.
    /// - Throws: where there is no memory for it.
    public var yaml: String {
        get throws { try YAMLNode(encoding: ConfigurationDraft(of: self)).yamlText }
    }
}

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
}

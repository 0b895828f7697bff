import ArgumentParser
import Configuration
import EventLoop
import Server

/// Whether changes of the configuration file are followed.
struct WatchOption: ParsableArguments {
    @Flag(
        help: ArgumentHelp(
            "Reload whenever the configuration file changes. [LOOPBRIDGE_WATCH] (default: false)"))
    var watch = false

    /// The way in which a running server reads its configuration again, and the file that it watches.
    func reloadSource(_ options: SharedOptions, requiresRoutes: Bool = true) throws -> ReloadSource {
        let isWatching =
            try CommandSetting("watch", watch ? "true" : nil).read("true or false", Bool.init(_:)) ?? false
        let file = ConfigurationFile.path(option: options.config, environment: ProcessStart.environment)
        return ReloadSource(watchedFile: isWatching ? file : nil) { () throws(ConfigurationErrors) in
            try options.load(requiresRoutes: requiresRoutes)
        }
    }
}

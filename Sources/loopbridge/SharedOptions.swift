import ArgumentParser
import Configuration
import EventLoop
import Observability
import Server

/// The options of every command that works on a configuration: the same settings as the environment and the file.
struct SharedOptions: ParsableArguments {
    @Option(
        name: [.customShort("c"), .long],
        help: ArgumentHelp(
            "The configuration file. (default: \(ConfigurationFile.defaultPath), if it exists)", valueName: "FILE"))
    var config: String?

    @OptionGroup var keys: KeyOptions

    @Argument(help: ArgumentHelp("Where to listen, and where the app is.", valueName: "ROUTE"))
    var routes: [String] = []

    /// Reads the file, the environment and the command line into one configuration, and logs what is surely not meant.
    ///
    /// Ends the program with an explanation where they are wrong: exit code 64 for the command line, 78 for the rest.
    /// - Parameter requiresRoutes: whether a route must come from somewhere.
    func configuration(requiresRoutes: Bool = true) throws -> Configuration {
        let loaded = try loaded(requiresRoutes: requiresRoutes)
        if !loaded.warnings.isEmpty {
            let log = try Log.started(as: loaded.configuration.log)
            loaded.log(to: log)
            log.close()
        }
        return loaded.configuration
    }

    /// Reads the same, with warnings and origins, and logs nothing.
    func loaded(requiresRoutes: Bool = true) throws -> LoadedConfiguration {
        do throws(ConfigurationErrors) {
            return try load(requiresRoutes: requiresRoutes)
        } catch {
            StandardError.write(report: error.report)
            throw ExitCode(error.exitCode)
        }
    }

    /// Does the same, and leaves it to the caller what to do about faults: while the program runs, it goes on.
    func load(requiresRoutes: Bool) throws(ConfigurationErrors) -> LoadedConfiguration {
        let environment = ProcessStart.environment
        let file = try ConfigurationFile.find(option: config, environment: environment)
        let loaded = try LoadedConfiguration(
            ConfigurationSources(file: file, environment: environment, options: keys.given, routes: routes),
            requiresRoutes: requiresRoutes)
        try loaded.checkFiles(TLSFileFault.fault(of:))
        return loaded
    }
}

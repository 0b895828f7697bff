import ArgumentParser
import Configuration
import EventLoop
import Observability
import Server

/// What every command that works on a configuration takes: the same settings as the environment and the file.
///
/// The texts are handed on as they are; reading and checking them is the configuration's business, so that a
/// wrong value is explained in the same words wherever it stands.
struct SharedOptions: ParsableArguments {
    @Option(
        name: [.customShort("c"), .long],
        help: ArgumentHelp(
            "The configuration file. (default: \(ConfigurationFile.defaultPath), if it exists)", valueName: "FILE"))
    var config: String?

    @Option(help: help("workers")) var workers: String?
    @Option(help: help("log-level")) var logLevel: String?
    @Option(help: help("log-levels")) var logLevels: String?
    @Option(help: help("log-format")) var logFormat: String?
    @Option(help: help("access-log")) var accessLog: String?
    @Option(help: help("admin-listen")) var adminListen: String?
    @Option(help: help("admin-socket")) var adminSocket: String?
    @Option(help: help("admin-allow")) var adminAllow: String?
    @Option(help: help("admin-deny")) var adminDeny: String?
    @Option(help: help("drain")) var drain: String?
    @Option(help: help("hold")) var hold: String?
    @Option(help: help("connect-timeout")) var connectTimeout: String?
    @Option(help: help("idle-timeout")) var idleTimeout: String?
    @Option(help: help("half-close-timeout")) var halfCloseTimeout: String?
    @Option(help: help("max-connections")) var maxConnections: String?
    @Option(help: help("connect")) var connect: String?
    @Option(help: help("upstream-connections")) var upstreamConnections: String?
    @Option(help: help("queue")) var queue: String?
    @Option(help: help("queue-timeout")) var queueTimeout: String?
    @Option(help: help("spare")) var spare: String?
    @Option(help: help("source")) var source: String?
    @Option(help: help("client-connections")) var clientConnections: String?
    @Option(help: help("client-rate")) var clientRate: String?
    @Option(help: help("allow")) var allow: String?
    @Option(help: help("deny")) var deny: String?
    @Option(help: help("accept-proxy-protocol")) var acceptProxyProtocol: String?
    @Option(help: help("proxy-protocol-from")) var proxyProtocolFrom: String?
    @Option(help: help("send-proxy-protocol")) var sendProxyProtocol: String?
    @Option(help: help("tls-certificate")) var tlsCertificate: String?
    @Option(help: help("tls-key")) var tlsKey: String?
    @Option(help: help("tls-client-ca")) var tlsClientCA: String?
    @Option(help: help("host")) var host: String?
    @Option(help: help("basic-auth")) var basicAuth: String?
    @Option(help: help("trusted-proxies")) var trustedProxies: String?

    @Argument(help: ArgumentHelp("Where to listen, and where the app is.", valueName: "ROUTE"))
    var routes: [String] = []

    /// The options that were given, by the names that the configuration knows.
    var given: [String: String] {
        let all: [String: String?] = [
            "workers": workers, "log-level": logLevel, "log-levels": logLevels, "log-format": logFormat,
            "access-log": accessLog, "admin-listen": adminListen, "admin-socket": adminSocket,
            "admin-allow": adminAllow, "admin-deny": adminDeny, "drain": drain, "hold": hold,
            "connect-timeout": connectTimeout, "idle-timeout": idleTimeout,
            "half-close-timeout": halfCloseTimeout, "max-connections": maxConnections, "connect": connect,
            "upstream-connections": upstreamConnections, "queue": queue, "queue-timeout": queueTimeout, "spare": spare,
            "source": source, "client-connections": clientConnections, "client-rate": clientRate, "allow": allow,
            "deny": deny, "accept-proxy-protocol": acceptProxyProtocol, "proxy-protocol-from": proxyProtocolFrom,
            "send-proxy-protocol": sendProxyProtocol, "tls-certificate": tlsCertificate, "tls-key": tlsKey,
            "tls-client-ca": tlsClientCA, "host": host, "trusted-proxies": trustedProxies, "basic-auth": basicAuth,
        ]
        return all.compactMapValues { $0 }
    }

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

    /// The same with all there is to know about it, and nothing logged.
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
            ConfigurationSources(file: file, environment: environment, options: given, routes: routes),
            requiresRoutes: requiresRoutes)
        try loaded.checkFiles(TLSFileFault.fault(of:))
        return loaded
    }

    private static func help(_ name: String) -> ArgumentHelp {
        guard let option = ConfigurationOption.all.first(where: { $0.name == name }) else {
            preconditionFailure("the configuration has no option \(name)")
        }
        return ArgumentHelp(
            "\(option.help) [\(option.environmentVariable)] (default: \(option.defaultText))",
            valueName: option.placeholder)
    }
}

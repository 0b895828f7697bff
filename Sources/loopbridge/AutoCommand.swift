import ArgumentParser
import Configuration
import Discovery
import Observability
import Server

/// `loopbridge auto`: bridges whatever listens on loopback only.
struct Auto: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bridge every loopback-only listener found here.",
        discussion: """
            Looks for TCP sockets that listen on loopback only, in this network
            namespace, and bridges each at its own port for as long as it listens.
            Debuggers, whichever port they have, and ports that the kernel chose are
            bridged only when --only or a ROUTE names them.
            """)

    @OptionGroup var options: SharedOptions
    @OptionGroup var ports: PortOptions
    @OptionGroup var watch: WatchOption

    func run() throws {
        Server.awaitStart()
        let source = try watch.reloadSource(options, requiresRoutes: false)
        let configuration = try options.configuration(requiresRoutes: false)
        let chosen = try ports.chosen()
        let log = try Log.started(as: configuration.log)
        try ExitCode.afterServing {
            var bridge: AutoBridge?
            try Server.serve(configuration, log: log, reloading: source) { configuration in
                bridge?.follow(configuration)
            } prepare: { server, loop in
                bridge = try AutoBridge(
                    server, scope: .everybody, said: SaidPorts.ofThisPlace(), ports: chosen,
                    configuration: configuration, log: log, on: loop)
            } started: {
                bridge?.start()
            }
        } log: {
            log
        }
    }
}

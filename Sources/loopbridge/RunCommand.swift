import ArgumentParser
import Configuration
import EventLoop
import Observability
import Server
import Supervisor

/// `loopbridge run`: the app as a child, and the traffic to it.
struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Start the app as a child and carry traffic to it.",
        usage: "loopbridge run [OPTIONS] [ROUTE ...] -- COMMAND [ARGUMENT ...]",
        discussion: """
            Without a ROUTE, whatever the command and its children listen on, on loopback
            only, is bridged at the same port as soon as it appears; debuggers, and ports that
            the kernel chose, only when --only names them. Does what an init
            does: forwards signals, reaps orphans, hands over the terminal, and exits as
            the command does (128 + signal where a signal ended it; 127 where it is not
            found, 126 where it cannot be executed).

            On SIGTERM it stops accepting, drains, then ends the command.
            """)

    @OptionGroup var options: SharedOptions
    @OptionGroup var ports: PortOptions
    @OptionGroup var watch: WatchOption

    @Option(
        help: ArgumentHelp(
            "How long the command may take to end after its SIGTERM before it is killed. [LOOPBRIDGE_STOP_TIMEOUT] "
                + "(default: 10s)",
            valueName: "DURATION"))
    var stopTimeout: String?

    /// The app's command: everything behind the first `--`, which the parser does not get to see. It cannot tell two
    /// lists of arguments from each other.
    private static var command: [String] { Array(ProcessStart.arguments.drop { $0 != "--" }.dropFirst()) }

    /// The arguments that the parser gets.
    static func withoutCommand(_ arguments: [String]) -> [String] {
        arguments.first == configuration.commandName ? Array(arguments.prefix { $0 != "--" }) : arguments
    }

    func validate() throws {
        if Self.command.isEmpty {
            throw ValidationError("There is no command to run: loopbridge run [OPTIONS] [ROUTE ...] -- COMMAND")
        }
    }

    func run() throws {
        let source = try watch.reloadSource(options, requiresRoutes: false)
        let configuration = try options.configuration(requiresRoutes: false)
        let stopTimeout =
            try CommandSetting("stop-timeout", stopTimeout).read("a duration such as 10s", durationValue)
            ?? .seconds(10)
        let chosen = try ports.chosen()
        let log = try Log.started(as: configuration.log)
        var end: ProcessEnd?
        try ExitCode.afterServing {
            let session = try RunSession(
                Self.command, configuration: configuration, source: source, ports: chosen, stopTimeout: stopTimeout,
                log: log)
            end = try session.run()
        } log: {
            log
        }
        if let end, end != .exited(0) { throw ExitCode(end.exitCode) }
    }
}

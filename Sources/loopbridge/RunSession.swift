import Configuration
import Discovery
import EventLoop
import Observability
import Proxy
import Server
import Supervisor

/// The life of an app and its bridge together, from the start of both to the end of both.
///
/// Whichever way it begins, the end is always the same: nobody is accepted any more, the connections finish, the app
/// has ended, and its exit status is ours.
final class RunSession {
    private let command: [String]
    private let configuration: Configuration
    private let stopTimeout: Duration
    private let log: Log
    private let loop: EventLoop
    private let server: Server
    private let supervisor: Supervisor
    private let ports: BridgePlan.Ports
    /// SIGHUP is the app's; only a change of the file reloads.
    private let reloader: Reloader
    private var bridge: AutoBridge?

    private var isStopping = false
    private var isDrained = false
    private var end: ProcessEnd?
    private var failure: (any Error)?

    init(
        _ command: [String], configuration: Configuration, source: ReloadSource, ports: BridgePlan.Ports,
        stopTimeout: Duration, log: Log
    ) throws {
        self.command = command
        self.configuration = configuration
        self.ports = ports
        self.stopTimeout = stopTimeout
        self.log = log
        loop = try EventLoop()
        server = try Server(configuration, log: log, on: loop)
        supervisor = try Supervisor(on: loop)
        reloader = Reloader(server, from: source, log: log, on: loop)
        // All are called by our loop, which runs only while run() does.
        reloader.onReload = { [unowned self] in bridge?.follow($0) }
        server.onFailure = { [unowned self] error in
            // An app that nobody can reach is not left running.
            failure = error
            isStopping = true
            isDrained = true
            if end == nil { supervisor.terminate(killAfter: stopTimeout) } else { loop.stop() }
        }
        server.appLife = { [life = supervisor.life] in AppLife(life.now) }
        supervisor.onTerminationRequest = { [unowned self] in terminationRequested() }
        supervisor.onChildEnd = { [unowned self] in childEnded($0) }
    }

    /// Runs the app to its end. Blocks the calling thread.
    /// - Returns: how it ended.
    /// - Throws: what keeps the bridge or the app from starting.
    func run() throws -> ProcessEnd? {
        let openFiles = ProcessLimits.openFiles
        // Listening comes first: an app that nobody could reach is not started.
        reloader.startWatching()
        try server.start()
        let child = try ProcessLimits.withOpenFiles(openFiles) { () throws(CommandNotStarted) in
            try supervisor.start(command)
        }
        log.info("started \(command[0])", ["pid": .number(child)])
        if configuration.routes.isEmpty {
            // A process that the app has left behind, as a daemon does, is our child now.
            let said = SaidPorts.read(command: command, environment: ProcessStart.environmentEntries)
            bridge = try AutoBridge(
                server, scope: .ownDescendants, said: said, ports: ports,
                configuration: configuration, log: log, on: loop)
            bridge?.start()
        }
        loop.run()
        // The exit code is decided.
        ProcessSignals.holdBack()
        if let failure { throw failure }
        return end
    }

    private func terminationRequested() {
        if isStopping {
            log.info("SIGTERM again: ending at once")
            // While connections finish, the app's own SIGTERM follows when they have ended; later, this is one more.
            isDrained ? supervisor.terminate(killAfter: stopTimeout) : server.abort()
            return
        }
        log.info(
            "SIGTERM: finishing connections for up to \(durationText(server.configuration.drain)), then ending the app")
        stop()
    }

    private func childEnded(_ end: ProcessEnd) {
        self.end = end
        log.info("\(command[0]) has ended", ["exit_code": .number(Int(end.exitCode))])
        // The app's last bytes may still be on their way to its clients.
        isDrained ? loop.stop() : stop()
    }

    private func stop() {
        guard !isStopping else { return }
        isStopping = true
        bridge?.stop()
        server.drain { [unowned self] in drained() }
    }

    private func drained() {
        isDrained = true
        end == nil ? supervisor.terminate(killAfter: stopTimeout) : loop.stop()
    }
}

extension AppLife {
    fileprivate init(_ moment: ChildLife.Moment) {
        self =
            switch moment {
            case .lives: .lives
            case .isEnding: .isEnding
            case .hasEnded(.exited): .hasExited
            case .hasEnded(.killed): .wasKilled
            }
    }
}

import ArgumentParser
import Configuration
import Observability
import Server
import Supervisor

/// `loopbridge serve`: carries traffic until a signal ends it.
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Carry traffic (the default command).",
        discussion: """
            Ends on SIGTERM, SIGINT or SIGQUIT: the listeners close, running connections
            may finish for as long as --drain says, and what is left is reset. A second
            signal ends it at once. SIGHUP reads the configuration again and takes over
            what has changed, without disturbing the rest. SIGUSR1 writes the status to
            the log.

            Exit codes: 0 done, 64 wrong usage, 71 cannot listen, 78 wrong configuration.
            """)

    @OptionGroup var options: SharedOptions
    @OptionGroup var watch: WatchOption

    func run() throws {
        Server.awaitStart()
        let source = try watch.reloadSource(options)
        let configuration = try options.configuration()
        let log = try Log.started(as: configuration.log)
        try ExitCode.afterServing {
            try Server.serve(configuration, log: log, reloading: source)
        } log: {
            log
        }
    }
}

extension Log {
    /// A log as the configuration wants it.
    init(to writer: LogWriter, as settings: LogSettings) {
        self.init(settings.allLevels, format: settings.format, writer: writer)
    }

    /// A log on standard error. Ends the program with a line where the system refuses the thread or the descriptors for it.
    static func started(as settings: LogSettings) throws -> Log {
        do {
            return try Log(to: .standardError(), as: settings)
        } catch {
            StandardError.write("loopbridge: error: the log cannot be started: \(error)")
            throw ExitCode.cannotListen
        }
    }
}

extension ExitCode {
    /// The system refuses what is needed (EX_OSERR, sysexits.h): an address to listen on, above all.
    static let cannotListen = ExitCode(71)

    /// Does the work, has the log written to its end, and turns an error into a line and an exit code.
    static func afterServing(_ work: () throws -> Void, log: () -> Log) throws {
        log().followLoops()
        defer { log().close() }
        do {
            try work()
        } catch let error as CommandNotStarted {
            log().error("\(error)")
            throw ExitCode(error.exitCode)
        } catch {
            log().error("\(error)")
            throw ExitCode.cannotListen
        }
    }
}

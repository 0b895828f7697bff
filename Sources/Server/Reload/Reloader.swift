public import Configuration
public import EventLoop
internal import FileWatching
public import Observability

/// Reads the configuration again and has the running server follow it: when it is asked to, and when the file changes.
///
/// Belongs to the control loop.
public final class Reloader {
    private typealias File = WatchedFile<LoadedConfiguration, ConfigurationErrors>

    private let server: Server
    private let source: ReloadSource
    private let log: Log
    private let loop: EventLoop
    private lazy var file = makeFile()
    /// Whether a reload was asked for and has not begun yet.
    private var isRequested = false

    /// Called with a valid configuration before the server takes it over.
    public var onReload: ((Configuration) -> Void)?

    /// Reads and watches nothing yet.
    public init(_ server: Server, from source: ReloadSource, log: Log, on loop: EventLoop) {
        self.server = server
        self.source = source
        self.log = log.part(.configuration)
        self.loop = loop
    }

    /// Reloads in the loop's next turn. Requests that come before that are one.
    /// - Parameter reason: the reason, for the log.
    public func request(because reason: String) {
        guard !isRequested else { return }
        isRequested = true
        loop.onNextTurn { [self] in
            isRequested = false
            log.info("\(reason): reading the configuration again")
            server.tellReloading()
            file.readAgain()
            server.tellReady()
        }
    }

    /// Follows the file that the source names, if any, from the loop's first turn on. The log says so where the system
    /// refuses to watch it.
    public func startWatching() {
        guard source.watchedFile != nil else { return }
        file.follow()
        // It may have changed after it was read and before it was watched.
        loop.onNextTurn { [self] in
            file.tellEarlierChange { $0.configuration == server.configuration }
        }
    }

    private func makeFile() -> File {
        let paths = source.watchedFile.map { [$0] } ?? []
        return File(paths, watchedBy: FileWatchers(on: loop), read: source.load) { [weak self] in self?.take($0) }
    }

    private func take(_ news: File.News) {
        switch news {
        case .read(let loaded, let path):
            log.hasChanged("the configuration file", at: path)
            apply(loaded)
        case .unusable(let errors, let path):
            log.hasChanged("the configuration file", at: path)
            refuse(errors)
        case .gone(let path):
            log.hasGone("the configuration file", at: path)
        case .unwatchable(let path, let error):
            log.cannotWatch("the configuration file", at: path, error)
        }
    }

    private func refuse(_ errors: ConfigurationErrors) {
        server.record.reloads.failed += 1
        server.record.reloads.hasFailedLast = true
        let count = errors.diagnostics.count
        log.error("not reloaded, nothing has changed: \(count) \(count == 1 ? "error" : "errors")")
        log.error(report: errors.report)
    }

    private func apply(_ loaded: LoadedConfiguration) {
        let configuration = loaded.configuration
        guard server.isRunning else {
            log.info("not reloaded: stopping")
            return
        }
        onReload?(configuration)
        guard let difference = server.reload(configuration) else { return }
        server.record.reloads.succeeded += 1
        server.record.reloads.hasFailedLast = false
        server.record.reloads.lastSuccess = .now
        log.info("reloaded: \(difference.summary)")
        loaded.log(to: log)
        if difference.changesWorkers {
            log.warning(
                "the number of workers changes only with a restart",
                [
                    "running": .text(server.configuration.workers.description),
                    "configured": .text(configuration.workers.description),
                ])
        }
    }
}

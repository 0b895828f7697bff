public import Configuration
public import EventLoop
internal import FileWatching
public import Observability

/// Has a running server take changes of its configuration: when it is asked to, and when the file changes.
///
/// Belongs to the control loop.
public final class Reloader {
    private let server: Server
    private let source: ReloadSource
    private let log: Log
    private let loop: EventLoop
    private var watcher: FileWatcher?
    /// A reload that was asked for has not begun yet.
    private var isRequested = false

    /// Called with a valid configuration before the server takes it over.
    public var onReload: ((Configuration) -> Void)?

    /// Does nothing yet.
    public init(_ server: Server, from source: ReloadSource, log: Log, on loop: EventLoop) {
        self.server = server
        self.source = source
        self.log = log.part(.configuration)
        self.loop = loop
    }

    /// Reloads in the loop's next turn: a storm of requests is one.
    /// - Parameter reason: who asks, for the log.
    public func request(because reason: String) {
        guard !isRequested else { return }
        isRequested = true
        loop.onNextTurn { [self] in
            isRequested = false
            log.info("\(reason): reading the configuration again")
            server.tellReloading()
            apply(read())
            server.tellReady()
        }
    }

    /// Follows the file that the source names, if any, from the loop's first turn on. Where the system refuses to watch
    /// it, the log says so.
    public func startWatching() {
        guard let path = source.watchedFile else { return }
        do throws(SystemError) {
            watcher = try FileWatcher(path, on: loop) { [unowned self] in fileChanged(path) }
            if let obstacle = watcher?.obstacle { complain(path, obstacle) }
            // It may have changed after it was read and before it was watched.
            loop.onNextTurn { [self] in
                if case .success(let loaded) = read(), loaded.configuration == server.configuration { return }
                watcher?.tellEarlierChange()
            }
        } catch {
            complain(path, error)
        }
    }

    private func complain(_ path: String, _ error: SystemError) {
        log.warning(
            "cannot watch the configuration file; a change of it takes a SIGHUP or a restart",
            ["file": .text(path), "reason": .text(error.description)])
    }

    private func fileChanged(_ path: String) {
        guard let watcher, watcher.isThere else {
            log.warning("the configuration file has gone; what it said still holds", ["file": .text(path)])
            return
        }
        if let obstacle = watcher.obstacle { complain(path, obstacle) }
        let result = read()
        // Somebody began to write while we read: what was read may be half of it, and we are called again.
        guard !watcher.hasNews() else { return }
        log.info("the configuration file has changed", ["file": .text(path)])
        apply(result)
    }

    private func read() -> Result<LoadedConfiguration, ConfigurationErrors> {
        Result { () throws(ConfigurationErrors) in try source.load() }
    }

    private func apply(_ result: Result<LoadedConfiguration, ConfigurationErrors>) {
        switch result {
        case .failure(let errors):
            server.reloads.failed += 1
            server.reloads.hasFailedLast = true
            let count = errors.diagnostics.count
            log.error("not reloaded, nothing has changed: \(count) \(count == 1 ? "error" : "errors")")
            log.error(report: errors.report)
        case .success(let loaded):
            let configuration = loaded.configuration
            guard server.isRunning else {
                log.info("not reloaded: stopping")
                return
            }
            onReload?(configuration)
            guard let difference = server.reload(configuration) else { return }
            server.reloads.succeeded += 1
            server.reloads.hasFailedLast = false
            server.reloads.lastSuccess = .now
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
}

public import Configuration
public import EventLoop
internal import Glibc
public import Observability

extension Server {
    /// Carries traffic until SIGTERM or SIGINT, and reloads on SIGHUP; a second signal ends it at once. Blocks the calling thread.
    /// - Parameters:
    ///   - stopRequests: posting to it does what a signal does.
    ///   - source: what SIGHUP reloads from; nil where it does what it does to any program.
    ///   - onReload: called with a valid configuration before the server takes it over.
    ///   - prepare: called with the server before it starts.
    ///   - started: called when it has.
    /// - Throws: ``ListenError`` when a listening socket cannot be had, ``SystemError`` when the system refuses what
    ///   every start needs.
    public static func serve(
        _ configuration: Configuration, log: Log, stopRequests: Mailbox<Void>? = nil,
        reloading source: ReloadSource? = nil, onReload: @escaping (Configuration) -> Void = { _ in },
        prepare: (Server, EventLoop) throws -> Void = { _, _ in }, started: () -> Void = {}
    ) throws {
        let loop = try EventLoop()
        let server = try Server(configuration, log: log, on: loop)
        var failure: SystemError?
        server.onFailure = { error in
            failure = error
            loop.stop()
        }
        var isStopping = false
        func stop(because reason: String) {
            if isStopping {
                log.info("\(reason) again: ending at once")
                server.abort()
                return
            }
            isStopping = true
            let drain = durationText(server.configuration.drain)
            log.info("\(reason): closing the listeners, finishing connections for up to \(drain)")
            server.drain { loop.stop() }
        }
        // Before anything is opened: whoever stops us while we start gets an orderly end too.
        let signals = try [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")].map { signal, name in
            try SignalEvent(signal, on: loop) { stop(because: name) }
        }
        let stopEvent = try stopRequests?.open(on: loop) { _ in stop(because: "asked to stop") }
        let reloader = source.map { Reloader(server, from: $0, log: log, on: loop) }
        reloader?.onReload = onReload
        let reloadSignal = try reloader.map { reloader throws(SystemError) in
            try SignalEvent(SIGHUP, on: loop) { reloader.request(because: "SIGHUP") }
        }
        try prepare(server, loop)
        reloader?.startWatching()
        try server.start()
        started()
        loop.run()
        withExtendedLifetime((signals, stopEvent, reloader, reloadSignal)) {}
        if let failure { throw failure }
        log.info("stopped")
    }
}

public import Configuration
public import EventLoop
internal import Glibc
public import Observability

extension Server {
    /// The signals that end the program in good order. nginx's images are stopped with SIGQUIT, LXC sends SIGPWR, and
    /// SIGXCPU comes a moment before the system ends a process that has used up its processor time.
    private static let stopSignals = [
        (SIGTERM, "SIGTERM"), (SIGINT, "SIGINT"), (SIGQUIT, "SIGQUIT"), (SIGPWR, "SIGPWR"), (SIGXCPU, "SIGXCPU"),
    ]

    /// The signals that mean nothing to this program, and would end it if they were not caught. The numbers are SIGSTKFLT's
    /// and those of the real-time signals, of which glibc keeps the first two to itself.
    private static let signalsWithoutMeaning = [SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, 16] + Array(34...64)

    /// The signals that are ignored: a write says by its error that the reader has gone (SIGPIPE) or that the file is too
    /// large (SIGXFSZ), and a program in the background may write its log to the terminal.
    private static let ignoredSignals = [SIGPIPE, SIGXFSZ, SIGTTIN, SIGTTOU]

    /// Has signals end the process at once with exit code 0 while nothing is open yet: to be called first, before the
    /// configuration is read. Signals that ask for something else are ignored until the start.
    public static func awaitStart() {
        ProcessSignals.exitCleanly(on: stopSignals.map(\.0))
        ProcessSignals.ignore(ignoredSignals + signalsWithoutMeaning + [SIGHUP, SIGUSR1])
        ProcessSignals.letThrough()
    }

    /// Carries traffic until SIGTERM, SIGINT or SIGQUIT, reloads on SIGHUP, and writes its status to the log on SIGUSR1; a second
    /// signal ends it at once. No other signal that can be caught does anything. Blocks the calling thread.
    /// - Parameters:
    ///   - stopRequests: a mailbox; posting to it stops the program as SIGTERM does.
    ///   - source: the source that SIGHUP reloads from; with nil, SIGHUP ends the program.
    ///   - onReload: called with a valid configuration before the server takes it over.
    ///   - prepare: called with the server before it starts.
    ///   - started: called when the server has started.
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
        var stopRequestCount = 0
        func stop(because reason: String) {
            stopRequestCount += 1
            guard stopRequestCount == 1 else {
                // The log says so once, however many signals follow.
                if stopRequestCount == 2 { log.info("\(reason) again: ending at once") }
                server.abort()
                return
            }
            let drain = durationText(server.configuration.drain)
            log.info("\(reason): closing the listeners, finishing connections for up to \(drain)")
            server.drain { loop.stop() }
        }
        // Before anything is opened, so that a signal during the start brings an orderly end too.
        ProcessSignals.ignore(ignoredSignals)
        var signals = try stopSignals.map { signal, name in
            try SignalEvent(signal, on: loop) { stop(because: name) }
        }
        signals.append(try SignalEvent(SIGUSR1, on: loop) { server.logStatus() })
        for number in signalsWithoutMeaning {
            // Where the system keeps one to itself, as valgrind does with the last, nobody can send it either.
            let event = try? SignalEvent(number, on: loop) { log.debug("a signal that means nothing here: \(number)") }
            if let event { signals.append(event) }
        }
        let stopEvent = try stopRequests?.open(on: loop) { _ in stop(because: "asked to stop") }
        let reloader = source.map { Reloader(server, from: $0, log: log, on: loop) }
        reloader?.onReload = onReload
        if let reloader {
            signals.append(try SignalEvent(SIGHUP, on: loop) { reloader.request(because: "SIGHUP") })
        }
        defer {
            // The exit code is decided. Signals that come while the earlier dispositions are restored must not change it.
            ProcessSignals.holdBack()
            withExtendedLifetime((signals, stopEvent, reloader)) {}
        }
        try prepare(server, loop)
        reloader?.startWatching()
        try server.start()
        started()
        loop.run()
        if let failure { throw failure }
        log.info("stopped")
    }
}

extension StatusReport {
    /// Puts a snapshot into the report's words.
    /// - Parameter history: what happened lately.
    public init(_ snapshot: Snapshot, history: History) {
        self.init(
            version: snapshot.program.version, time: snapshot.time.secondsSince1970,
            startTime: snapshot.program.startTime.secondsSince1970,
            state: snapshot.program.isDraining ? "draining" : "running", process: Process(snapshot.process),
            memory: snapshot.memory.map(Memory.init),
            workers: snapshot.workers.map(Worker.init), routes: snapshot.routes.map { Route($0, history: history) },
            reloads: Reloads(
                succeeded: snapshot.reloads.succeeded, failed: snapshot.reloads.failed,
                lastSuccess: snapshot.reloads.lastSuccess.secondsSince1970,
                hasFailedLast: snapshot.reloads.hasFailedLast),
            droppedLogLines: snapshot.droppedLogLines, messages: snapshot.messages.map(Message.init))
    }
}

extension StatusReport.Process {
    fileprivate init(_ usage: ProcessUsage) {
        self.init(
            cpuSeconds: usage.cpuSeconds, residentBytes: usage.residentBytes, openDescriptors: usage.openDescriptors,
            maxDescriptors: usage.maxDescriptors, threads: usage.threads)
    }
}

extension StatusReport.Memory {
    fileprivate init(_ memory: Snapshot.Memory) {
        self.init(
            source: memory.source, limitBytes: memory.limitBytes, usedBytes: memory.usedBytes,
            level: memory.level.rawValue, shortages: memory.shortages)
    }
}

extension StatusReport.Worker {
    fileprivate init(_ worker: Snapshot.Worker) {
        self.init(
            number: worker.number, loopLag: worker.loopLag / .seconds(1), parkedBytes: worker.parkedBytes,
            connections: worker.connections)
    }
}

extension StatusReport.Message {
    fileprivate init(_ message: LogMessage) {
        self.init(
            time: message.time.secondsSince1970, level: message.level.rawValue, text: message.text,
            count: message.count)
    }
}

extension StatusReport.Route {
    fileprivate init(_ route: Snapshot.Route, history: History) {
        let counters = route.counters
        let failures = FailureCause.allCases.filter { counters.failures[$0] > 0 }.map { cause in
            StatusReport.Failure(
                cause: cause.rawValue, explanation: cause.explanation, count: counters.failures[cause],
                lastTime: history.lastFailure(route: route.name, cause)?.secondsSince1970)
        }
        self.init(
            name: route.name, listen: route.listen, upstream: route.upstream, protocol: route.protocol,
            app: StatusReport.App(presence: route.app.presence.rawValue, since: route.app.since?.secondsSince1970),
            connections: StatusReport.Bounded(count: route.connections, limit: route.connectionLimit),
            held: route.held, queued: StatusReport.Bounded(count: route.queued, limit: route.queueLimit),
            upstreamConnections: StatusReport.Bounded(
                count: route.upstreamConnections, limit: route.upstreamConnectionLimit),
            pool: StatusReport.Pool(
                idle: route.idle, spare: route.spare, hits: counters.pool.hits, misses: counters.pool.misses,
                evictions: counters.pool.evictions, stale: counters.pool.stale),
            totals: StatusReport.Totals(
                connections: counters.connections, requests: route.isHTTP ? counters.requests.total : nil,
                bytesToApp: counters.bytesToApp, bytesToClient: counters.bytesToClient,
                datagramsToApp: route.isUDP ? counters.datagrams.toApp : nil,
                datagramsToClient: route.isUDP ? counters.datagrams.toClient : nil,
                failures: counters.failures.total),
            failures: failures.sorted { ($0.lastTime ?? 0, $0.count) > ($1.lastTime ?? 0, $1.count) },
            latest: history.latest(route: route.name))
    }
}

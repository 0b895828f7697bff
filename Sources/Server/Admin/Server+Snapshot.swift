internal import Configuration
internal import Discovery
internal import EventLoop
internal import Memory
internal import Network
public import Observability
internal import Proxy
internal import Upstream

extension Server {
    /// The version of this source tree, from which the changelog of a release starts.
    public static let version = "0.1.0"

    /// Puts together what the server and its workers know of themselves.
    ///
    /// A worker that does not answer within a second is represented by what it said last. To be called on the control
    /// thread; may be called again before the first snapshot is complete.
    /// - Parameter completion: called once, in a later turn of the control loop.
    public func snapshot(_ completion: @escaping (Snapshot) -> Void) {
        workers.survey { [weak self] in
            if let self { completion(snapshot(of: $0)) }
        }
    }

    private func snapshot(of workers: [WorkerSnapshot]) -> Snapshot {
        let now = Timestamp.now
        return Snapshot(
            time: now, monotonicTime: .now,
            program: Snapshot.Program(
                version: Self.version, startTime: record.startTime, isDraining: isDraining,
                findsRoutes: record.findsRoutes),
            process: .current,
            memory: Snapshot.Memory(self.workers.memory.look()),
            workers: workers.map {
                Snapshot.Worker(
                    number: $0.number, loopLag: $0.loopLag, parkedBytes: $0.parkedBytes, connections: $0.connections)
            },
            routes: routeSnapshots(of: workers), reloads: record.reloads, droppedLogLines: log.droppedLines,
            messages: log.recentMessages)
    }

    private func routeSnapshots(of workers: [WorkerSnapshot]) -> [Snapshot.Route] {
        lookAtApps()
        return routes.listed.map { snapshot(of: $0.route.configuration, number: $0.number, from: workers) }
    }

    private func snapshot(of route: Route, number: Int, from workers: [WorkerSnapshot]) -> Snapshot.Route {
        var total = WorkerSnapshot.Route()
        for worker in workers { if let share = worker.routes[route.name] { total.add(share) } }
        let bound = route.upstreamConnections
        return Snapshot.Route(
            name: route.name, listen: listeners.boundAddresses(ofRoute: number).map(\.description),
            upstream: route.upstream.description, protocol: route.protocol.word,
            app: record.apps[route], connections: Int(total.counters.connections - total.counters.endedConnections),
            connectionLimit: route.maxConnections, held: total.held, queued: total.queued,
            queueLimit: bound.max.map { _ in bound.queue }, upstreamConnections: total.upstreamConnections,
            upstreamConnectionLimit: bound.max, idle: total.idle, spare: total.spare, counters: total.counters,
            obstacles: obstacles(of: route, number: number, workers))
    }

    private func obstacles(of route: Route, number: Int, _ workers: [WorkerSnapshot]) -> [String] {
        listeners.failingAddresses(ofRoute: number).map { "cannot listen on \($0) yet, and tries again" }.sorted()
            + workers.compactMap { worker in
                worker.obstacles[route.name].map {
                    "worker \(worker.number) cannot accept clients yet, and tries again (\($0))"
                }
            }
    }

    /// Looks which of the routes' apps are there now, and remembers it.
    func lookAtApps() {
        record.apps.look(at: routes.all.map { ($0.configuration, $0.hold.health) })
    }
}

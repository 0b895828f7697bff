internal import Configuration
internal import Discovery
internal import EventLoop
internal import Memory
internal import Network
public import Observability
internal import Proxy
internal import Upstream

extension Server {
    /// The version of this source tree; the changelog of a release starts from it.
    public static let version = "0.1.0"

    /// Puts together what the server and its workers know of themselves.
    ///
    /// Workers that do not answer within a second are represented by what they said last. To be called on the control
    /// thread; that may be done again before the first one is complete.
    /// - Parameter completion: called once, in a later turn of the control loop.
    public func snapshot(_ completion: @escaping (Snapshot) -> Void) {
        workers.survey { [unowned self] in completion(snapshot(of: $0)) }
    }

    private func snapshot(of workers: [WorkerSnapshot]) -> Snapshot {
        let now = Timestamp.now
        return Snapshot(
            time: now, monotonicTime: .now,
            program: Snapshot.Program(
                version: Self.version, startTime: startTime, isDraining: isDraining, findsRoutes: findsRoutes),
            process: .current,
            memory: Snapshot.Memory(self.workers.memory.look()),
            workers: workers.map {
                Snapshot.Worker(
                    number: $0.number, loopLag: $0.loopLag, parkedBytes: $0.parkedBytes, connections: $0.connections)
            },
            routes: routeSnapshots(of: workers, at: now), reloads: reloads, droppedLogLines: log.droppedLines,
            messages: log.recentMessages)
    }

    /// The configuration's routes first, in its order, then those that were found.
    private func routeSnapshots(of workers: [WorkerSnapshot], at time: Timestamp) -> [Snapshot.Route] {
        let found = listeners.routes.keys.filter { !configuredRoutes.contains($0) }.sorted()
        let numbers = (configuredRoutes + found).filter { listeners.routes[$0] != nil }
        lookAtApps()
        return numbers.compactMap { number in
            guard let route = listeners.routes[number] else { return nil }
            return snapshot(of: route, number: number, from: workers)
        }
    }

    private func snapshot(of route: Route, number: Int, from workers: [WorkerSnapshot]) -> Snapshot.Route {
        var total = WorkerSnapshot.Route()
        for worker in workers { if let share = worker.routes[route.name] { total.add(share) } }
        let bound = route.upstreamConnections
        return Snapshot.Route(
            name: route.name, listen: listeners.boundAddresses(ofRoute: number).map(\.description),
            upstream: route.upstream.description, protocol: route.protocol.word,
            app: apps[route], connections: Int(total.counters.connections - total.counters.endedConnections),
            connectionLimit: route.maxConnections, held: total.held, queued: total.queued,
            queueLimit: bound.max.map { _ in bound.queue }, upstreamConnections: total.upstreamConnections,
            upstreamConnectionLimit: bound.max, idle: total.idle, spare: total.spare, counters: total.counters,
            obstacles: obstacles(of: route, number: number, workers))
    }

    private func obstacles(of route: Route, number: Int, _ workers: [WorkerSnapshot]) -> [String] {
        failing.filter { $0.route == number }.map { "cannot listen on \($0.address) yet, and tries again" }.sorted()
            + workers.compactMap { worker in
                worker.obstacles[route.name].map {
                    "worker \(worker.number) cannot accept clients yet, and tries again (\($0))"
                }
            }
    }

    /// Notes which of the routes' apps are there now.
    func lookAtApps() {
        apps.look(at: listeners.routes.map { ($0.value, shared[$0.key]?.hold.health ?? .unknown) })
    }
}

internal import EventLoop
internal import Memory
internal import Observability

/// What a worker tells the control thread.
enum WorkerReport: Sendable {
    /// No session is left after ``WorkerCommand/drain``.
    case drained
    /// The answer to ``WorkerCommand/report(posted:)``.
    case snapshot(WorkerSnapshot)
    /// It could not be started.
    case failed(SystemError)
    /// Memory is shorter than it was, or less so.
    case memory(MemoryWatch.State)
}

/// One worker's state at one moment, and what it has counted until then.
struct WorkerSnapshot: Sendable {
    /// One worker's share of a route.
    struct Route: Sendable {
        var counters = RouteCounters()
        /// Clients that wait for the app to listen, and for a place among its connections.
        var held = 0
        var queued = 0
        /// Connections to the app that are in use, that were used, and that were opened ahead.
        var upstreamConnections = 0
        var idle = 0
        var spare = 0
    }

    var number: Int
    /// When it was asked for.
    var posted: MonotonicTime
    /// How long its loop took to come to the question; how long it has taken so far, where it has not.
    var loopLag: Duration
    var parkedBytes = 0
    /// Clients that are connected.
    var connections = 0
    /// By the routes' names.
    var routes: [String: Route] = [:]
    /// What keeps it from accepting clients of routes, by the routes' names.
    var obstacles: [String: String] = [:]
}

extension WorkerSnapshot.Route {
    /// Adds another worker's share.
    mutating func add(_ other: WorkerSnapshot.Route) {
        counters.add(other.counters)
        held += other.held
        queued += other.queued
        upstreamConnections += other.upstreamConnections
        idle += other.idle
        spare += other.spare
    }
}

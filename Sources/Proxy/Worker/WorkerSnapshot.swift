package import EventLoop
internal import Memory
package import Observability

/// A report of a worker to the control thread.
enum WorkerReport: Sendable {
    /// No session is left after ``WorkerCommand/drain``.
    case drained
    /// The answer to ``WorkerCommand/report(posted:)``.
    case snapshot(WorkerSnapshot)
    /// The worker could not be started.
    case failed(SystemError)
    /// Memory is shorter than it was, or less so.
    case memory(MemoryWatch.State)
}

/// One worker's state at one moment, and what it has counted until then.
package struct WorkerSnapshot: Sendable {
    /// One worker's share of a route.
    package struct Route: Sendable {
        package var counters = RouteCounters()
        /// Clients that wait for the app to listen, and for a permit for a connection to it.
        package var held = 0
        package var queued = 0
        /// Connections to the app that are in use, that were used, and that were opened ahead.
        package var upstreamConnections = 0
        package var idle = 0
        package var spare = 0

        package init(
            counters: RouteCounters = RouteCounters(), held: Int = 0, queued: Int = 0, upstreamConnections: Int = 0,
            idle: Int = 0, spare: Int = 0
        ) {
            self.counters = counters
            self.held = held
            self.queued = queued
            self.upstreamConnections = upstreamConnections
            self.idle = idle
            self.spare = spare
        }
    }

    package var number: Int
    /// The time when the worker was asked.
    package var posted: MonotonicTime
    /// The time that the loop took to come to the question, or has taken so far.
    package var loopLag: Duration
    package var parkedBytes = 0
    /// Clients that are connected.
    package var connections = 0
    /// By the routes' names.
    package var routes: [String: Route] = [:]
    /// The reasons why routes' clients are not accepted, by the routes' names.
    package var obstacles: [String: String] = [:]
}

extension WorkerSnapshot.Route {
    /// Adds another worker's share.
    package mutating func add(_ other: WorkerSnapshot.Route) {
        counters.add(other.counters)
        held += other.held
        queued += other.queued
        upstreamConnections += other.upstreamConnections
        idle += other.idle
        spare += other.spare
    }
}

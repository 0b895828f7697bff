public import EventLoop

/// The counters of a route on one worker: each call counts all that has happened at a time.
///
/// It belongs to the worker's thread. Its fields are private, and written while nothing else is called: so the compiler sees
/// that no two accesses overlap, and leaves out the checks that would cost more than the counting.
public final class RouteTally {
    private var counters = RouteCounters()

    public init() {}

    /// All that was counted so far.
    public func copy() -> RouteCounters { counters }

    /// A client was accepted.
    public func countConnection() {
        counters.connections += 1
    }

    /// Counts a failure.
    public func countFailure(_ cause: FailureCause) {
        let place = cause.place
        counters.failures.count(at: place)
    }

    /// Adds what a pool has counted that is forgotten now.
    public func add(_ pool: RouteCounters.Pool) {
        counters.pool.add(pool)
    }

    /// Adds what was counted elsewhere, of what has ended.
    public func add(_ other: RouteCounters) {
        counters.add(other)
    }

    /// A request to be connected to the app was answered, after it had waited or the app was called.
    /// - Parameters:
    ///   - called: when the app was last called for it; nil where it was not.
    ///   - isConnected: false where there was no connection to be had.
    public func countConnect(
        started: MonotonicTime, called: MonotonicTime?, answered: MonotonicTime, isConnected: Bool
    ) {
        counters.waitTime.count(from: started, to: called ?? answered)
        if isConnected, let called { counters.connectTime.count(from: called, to: answered) }
    }

    /// A client's connection has ended.
    /// - Parameter start: when it was accepted, by the coarse clock.
    public func countEnd(after start: MonotonicTime, bytesToApp: UInt64, bytesToClient: UInt64) {
        let now = MonotonicTime.coarse
        counters.endedConnections += 1
        counters.bytesToApp += bytesToApp
        counters.bytesToClient += bytesToClient
        counters.connectionTime.count(from: start, to: now)
    }

    /// A request has ended, whether it was answered or not.
    /// - Parameters:
    ///   - status: the answer's; nil where there was none.
    ///   - start: the request's first byte came.
    ///   - end: the answer's last byte went.
    ///   - connected: when there was a connection to the app, if that came about.
    ///   - firstByte: when the app's answer began, if it did.
    ///   - bytesToApp: the size of the request's body, and likewise `bytesToClient`.
    public func countRequest(
        status: Int?, from start: MonotonicTime, to end: MonotonicTime, connected: MonotonicTime?,
        firstByte: MonotonicTime?, bytesToApp: UInt64, bytesToClient: UInt64
    ) {
        counters.requests.byClass[status.map { min(max($0 / 100, 0), 5) } ?? 0] &+= 1
        if let connected, let firstByte { counters.requests.firstByteTime.count(from: connected, to: firstByte) }
        guard let status else { return }
        // Behind a switch of protocols, it is a connection that has lasted, and no request.
        if status != 101 { counters.requests.time.count(from: start, to: end) }
        counters.requests.requestSize.count(bytesToApp)
        counters.requests.responseSize.count(bytesToClient)
    }
}

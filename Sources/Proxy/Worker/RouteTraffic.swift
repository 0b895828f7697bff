internal import EventLoop
internal import Observability
internal import Relay
internal import Upstream

/// Counts a route's traffic on one worker. It passes to the route that replaces this one under the same name.
///
/// Belongs to the worker's thread.
final class RouteTraffic {
    /// The counts of what has ended, without the pools' counters of routes that still exist.
    let tally = RouteTally()
    /// The traffic under way, while a snapshot is put together.
    var underWay = UnderWay()

    /// The sums over running sessions and the ways to the app at one moment.
    struct UnderWay {
        fileprivate var bytes: (toApp: UInt64, toClient: UInt64) = (0, 0)
        fileprivate var pool = RouteCounters.Pool()
        fileprivate var datagrams = RouteCounters()
        fileprivate var upstreamConnections = 0
        fileprivate var (held, queued, idle, spare) = (0, 0, 0, 0)

        mutating func add(_ session: any Session) {
            let moved = session.bytesMoved
            bytes.toApp += moved.toApp
            bytes.toClient += moved.toClient
            if session.usesApp { upstreamConnections += 1 }
            if session.keepsApp { idle += 1 }
        }

        /// Adds a route's flows, with those that have ended.
        mutating func add(_ route: DatagramRoute, flows: Int) {
            upstreamConnections += flows
            datagrams.add(RouteCounters(route.account.counters))
        }

        mutating func add(_ app: AppConnections) {
            held += app.holdingCount
            queued += app.queuedCount
            guard let kept = app.pool else { return }
            spare += kept.spareCount
            idle += kept.count - kept.spareCount
            pool.add(RouteCounters.Pool(kept.counters))
        }
    }

    /// Counts an end that is a failure.
    func countFailure(_ end: SessionEnd) {
        if let cause = end.cause { tally.countFailure(cause) }
    }

    /// Counts denied clients that the kernel has turned away.
    func countDenied(_ count: Int) {
        var counters = RouteCounters()
        counters.failures[.clientDenied] = UInt64(count)
        tally.add(counters)
    }

    /// Keeps the counts of the pool of a route that is being forgotten.
    func keep(_ poolCounters: ConnectionPool.Counters?) {
        if let poolCounters { tally.add(RouteCounters.Pool(poolCounters)) }
    }

    /// Keeps the counts of datagrams of a route that is being forgotten.
    func keep(_ datagrams: DatagramCounters) {
        tally.add(RouteCounters(datagrams))
    }

    /// The counts of what has ended and what is under way.
    var snapshot: WorkerSnapshot.Route {
        var counters = tally.copy()
        counters.bytesToApp += underWay.bytes.toApp
        counters.bytesToClient += underWay.bytes.toClient
        counters.pool.add(underWay.pool)
        counters.add(underWay.datagrams)
        return WorkerSnapshot.Route(
            counters: counters, held: underWay.held, queued: underWay.queued,
            upstreamConnections: underWay.upstreamConnections, idle: underWay.idle, spare: underWay.spare)
    }
}

extension RouteCounters.Pool {
    fileprivate init(_ counters: ConnectionPool.Counters) {
        self.init()
        hits = UInt64(counters.hits)
        misses = UInt64(counters.misses)
        evictions = UInt64(counters.evictions)
        stale = UInt64(counters.stale)
    }
}

extension RouteCounters {
    /// The flows themselves are counted as connections, where they begin and end.
    fileprivate init(_ counters: DatagramCounters) {
        self.init()
        bytesToApp = counters.bytesToApp
        bytesToClient = counters.bytesToClients
        datagrams.toApp = counters.datagramsToApp
        datagrams.toClient = counters.datagramsToClients
        let dropped = counters.dropped
        failures[.flowLimit] = dropped.noPlace
        failures[.draining] = dropped.draining
        failures[.connectFailed] = dropped.noSocket
        failures[.appNotListening] = dropped.refused
        failures[.datagramCutOff] = dropped.cutOff
        failures[.receiveBufferFull] = dropped.overflowed
        failures[.unsentToApp] = dropped.unsentToApp
        failures[.unsentToClient] = dropped.unsentToClient
    }
}

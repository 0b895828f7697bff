internal import EventLoop
internal import Observability
internal import Relay
internal import Upstream

/// What one worker counts of a route, and hands on to the route that takes its place under the same name.
///
/// Belongs to the worker's thread.
final class RouteTraffic {
    /// What has ended, but for the pools' counters of routes that are there still.
    let tally = RouteTally()
    /// What goes on, while a snapshot is put together.
    var underWay = UnderWay()

    /// What running sessions and the ways to the app say of themselves at one moment.
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

        /// Adds what a route has of flows, those that have ended among them.
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

    /// Counts what has not ended well.
    func countFailure(_ end: SessionEnd) {
        if let cause = end.cause { tally.countFailure(cause) }
    }

    /// Counts clients that the kernel has turned away for us.
    func countDenied(_ count: Int) {
        var counters = RouteCounters()
        counters.failures[.clientDenied] = UInt64(count)
        tally.add(counters)
    }

    /// Keeps what the pool of a route had counted that is forgotten now.
    func keep(_ poolCounters: ConnectionPool.Counters?) {
        if let poolCounters { tally.add(RouteCounters.Pool(poolCounters)) }
    }

    /// Keeps what a route had counted of datagrams that is forgotten now.
    func keep(_ datagrams: DatagramCounters) {
        tally.add(RouteCounters(datagrams))
    }

    /// What has ended and what goes on.
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

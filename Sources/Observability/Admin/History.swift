internal import EventLoop

/// The last minutes of each route: what happened between one ``Snapshot`` and the next.
public struct History: Sendable {
    /// The time between two snapshots.
    public static let interval = Duration.seconds(1)
    /// The most samples of a route that are kept: five minutes.
    public static let length = 300

    private struct RouteHistory: Sendable {
        /// The counters of the last snapshot.
        var counters: RouteCounters
        /// The latest is last.
        var samples: [(number: Int, sample: StatusReport.Sample)] = []
        var lastFailures: [FailureCause: Timestamp] = [:]
    }

    private var routes: [String: RouteHistory] = [:]
    private var lastTime: MonotonicTime?
    private var lastNumber = 0

    public init() {}

    /// Takes in a snapshot. What a route did before its first one is unknown, so it has its first sample with the second.
    public mutating func record(_ snapshot: Snapshot) {
        let elapsed = lastTime.map { snapshot.monotonicTime.since($0) }
        if let elapsed, elapsed <= .zero { return }
        lastTime = snapshot.monotonicTime
        lastNumber += 1
        var recorded: [String: RouteHistory] = [:]
        for route in snapshot.routes {
            guard let elapsed, var history = routes.removeValue(forKey: route.name),
                route.counters.continues(history.counters)
            else {
                recorded[route.name] = RouteHistory(counters: route.counters)
                continue
            }
            for cause in FailureCause.allCases
            where route.counters.failures[cause] > history.counters.failures[cause] {
                history.lastFailures[cause] = snapshot.time
            }
            let sample = StatusReport.Sample(
                of: route, since: history.counters, seconds: elapsed / .seconds(1), at: snapshot.time)
            if history.samples.count == Self.length { history.samples.removeFirst() }
            history.samples.append((lastNumber, sample))
            history.counters = route.counters
            recorded[route.name] = history
        }
        routes = recorded
    }

    /// The last sample of a route; nil before its second snapshot.
    public func latest(route name: String) -> StatusReport.Sample? {
        routes[name]?.samples.last?.sample
    }

    /// The last time that a cause has ended something of a route, to the interval; nil for never since the first
    /// snapshot.
    public func lastFailure(route name: String, _ cause: FailureCause) -> Timestamp? {
        routes[name]?.lastFailures[cause]
    }

    /// The samples behind one, or all.
    /// - Parameters:
    ///   - number: the ``HistoryReport/last`` of an earlier report. One that is still to come is of an earlier process, and
    ///     gets all samples.
    ///   - startTime: of the program.
    public func report(after number: Int?, startTime: Timestamp) -> HistoryReport {
        let after = number.map { $0 > lastNumber ? 0 : $0 } ?? 0
        return HistoryReport(
            interval: Self.interval / .seconds(1), last: lastNumber, startTime: startTime.secondsSince1970,
            routes: routes.mapValues { history in
                // Numbers ascend, and what is asked for is mostly the last one.
                let first = history.samples.lastIndex { $0.number <= after }.map { $0 + 1 } ?? 0
                return history.samples[first...].map(\.sample)
            })
    }
}

extension RouteCounters {
    /// Whether this can have come of an earlier state: a route that was taken away and added again counts from zero.
    fileprivate func continues(_ earlier: RouteCounters) -> Bool {
        connections >= earlier.connections && endedConnections >= earlier.endedConnections
            && bytesToApp >= earlier.bytesToApp && bytesToClient >= earlier.bytesToClient
            && requests.total >= earlier.requests.total
    }
}

extension StatusReport.Sample {
    /// The activity of a route since earlier counters.
    fileprivate init(
        of route: Snapshot.Route, since earlier: RouteCounters, seconds: Double, at time: Timestamp
    ) {
        func rate(_ now: UInt64, _ before: UInt64) -> Double { Double(now - min(before, now)) / seconds }
        let counters = route.counters
        let times =
            route.isHTTP
            ? counters.requests.time.since(earlier.requests.time) : counters.connectTime.since(earlier.connectTime)
        self.init(
            time: time.secondsSince1970, connections: route.connections, waiting: route.held + route.queued,
            connectionsPerSecond: rate(counters.connections, earlier.connections),
            requestsPerSecond: route.isHTTP ? rate(counters.requests.total, earlier.requests.total) : nil,
            bytesToAppPerSecond: rate(counters.bytesToApp, earlier.bytesToApp),
            bytesToClientPerSecond: rate(counters.bytesToClient, earlier.bytesToClient),
            datagramsToAppPerSecond: route.isUDP ? rate(counters.datagrams.toApp, earlier.datagrams.toApp) : nil,
            datagramsToClientPerSecond: route.isUDP
                ? rate(counters.datagrams.toClient, earlier.datagrams.toClient) : nil,
            failuresPerSecond: rate(counters.failures.total, earlier.failures.total),
            latency: StatusReport.Percentiles(of: times), isAppUp: route.app.presence.isUp)
    }
}

extension Snapshot.AppState.Presence {
    /// Nil where it is not known.
    var isUp: Bool? {
        switch self {
        case .up: true
        case .down: false
        case .unknown: nil
        }
    }
}

extension StatusReport.Percentiles {
    /// Nil where nothing was counted.
    fileprivate init?(of times: Histogram<DurationScale>) {
        func seconds(_ share: Double) -> Double? { times.quantile(share).map { $0 / DurationScale.unitsPerMetric } }
        guard let p50 = seconds(0.5), let p90 = seconds(0.9), let p99 = seconds(0.99) else { return nil }
        self.init(p50: p50, p90: p90, p99: p99)
    }
}

/// The counters of a route since the start, of one worker or, added up, of all.
///
/// A worker's own is written by its thread only, and copied when somebody asks.
public struct RouteCounters: Sendable {
    /// Clients that were accepted.
    public var connections: UInt64 = 0
    /// Their connections that have ended.
    public var endedConnections: UInt64 = 0
    /// Bytes that the app's and the clients' kernels have taken, heads and pages of our own included.
    public var bytesToApp: UInt64 = 0
    public var bytesToClient: UInt64 = 0
    /// Connections, or with HTTP requests, that did not end well, and datagrams that were dropped.
    public var failures = Failures()
    public var pool = Pool()
    /// From calling the app to its taking the connection.
    public var connectTime = Histogram<DurationScale>()
    /// From asking for the app to calling it: for the app to listen, and for a place among its connections.
    public var waitTime = Histogram<DurationScale>()
    /// From a client's being accepted to its end, to the kernel's tick.
    public var connectionTime = Histogram<DurationScale>()
    public var requests = Requests()
    public var datagrams = Datagrams()

    public init() {}

    /// Datagrams that the app's and the clients' kernels have taken; none where another protocol is carried.
    public struct Datagrams: Sendable {
        public var toApp: UInt64 = 0
        public var toClient: UInt64 = 0

        public init() {}

        mutating func add(_ other: Datagrams) {
            toApp += other.toApp
            toClient += other.toClient
        }
    }

    /// The number of times that each cause has ended something.
    public struct Failures: Sendable {
        private var counts = InlineArray<64, UInt64>(repeating: 0)

        public init() {}

        public subscript(cause: FailureCause) -> UInt64 {
            get { counts[cause.place] }
            set { counts[cause.place] = newValue }
        }

        /// The number of them.
        public var total: UInt64 {
            var total: UInt64 = 0
            for index in counts.indices { total += counts[index] }
            return total
        }

        /// Counts a cause by its place, which must have been looked up before.
        mutating func count(at place: Int) { counts[place] += 1 }

        mutating func add(_ other: Failures) {
            for index in counts.indices { counts[index] += other.counts[index] }
        }
    }

    /// The fate of the connections to the app that were kept or opened ahead (`pool`).
    public struct Pool: Sendable {
        /// Connections that were handed out, used before or opened ahead.
        public var hits: UInt64 = 0
        /// Clients for whom there was none.
        public var misses: UInt64 = 0
        /// Dropped because of a limit, or because somebody else needed their place.
        public var evictions: UInt64 = 0
        /// Dropped because the app had ended them, spoken out of turn or gone.
        public var stale: UInt64 = 0

        public init() {}

        public mutating func add(_ other: Pool) {
            hits += other.hits
            misses += other.misses
            evictions += other.evictions
            stale += other.stale
        }
    }

    /// The counters of HTTP; zero with another protocol.
    public struct Requests: Sendable {
        /// Requests that have ended, by the first digit of their status; 0 for those that got no answer.
        public var byClass = InlineArray<6, UInt64>(repeating: 0)
        /// From a request's first byte to the last one of its answer.
        public var time = Histogram<DurationScale>()
        /// From having the connection to the app to the first byte of its answer.
        public var firstByteTime = Histogram<DurationScale>()
        /// Bodies, without what frames them.
        public var requestSize = Histogram<SizeScale>()
        public var responseSize = Histogram<SizeScale>()

        public init() {}

        /// The number that have ended.
        public var total: UInt64 {
            var total: UInt64 = 0
            for index in byClass.indices { total += byClass[index] }
            return total
        }

        mutating func add(_ other: Requests) {
            for index in byClass.indices { byClass[index] += other.byClass[index] }
            time.add(other.time)
            firstByteTime.add(other.firstByteTime)
            requestSize.add(other.requestSize)
            responseSize.add(other.responseSize)
        }
    }

    /// Adds what another worker has counted.
    public mutating func add(_ other: RouteCounters) {
        connections += other.connections
        endedConnections += other.endedConnections
        bytesToApp += other.bytesToApp
        bytesToClient += other.bytesToClient
        failures.add(other.failures)
        pool.add(other.pool)
        connectTime.add(other.connectTime)
        waitTime.add(other.waitTime)
        connectionTime.add(other.connectionTime)
        requests.add(other.requests)
        datagrams.add(other.datagrams)
    }
}

extension FailureCause {
    /// The index among all causes.
    var place: Int { Self.places[self] ?? 0 }

    private static let places = Dictionary(uniqueKeysWithValues: zip(allCases, 0...))
}

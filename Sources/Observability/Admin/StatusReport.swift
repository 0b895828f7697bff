/// `/status.json`: what a ``Snapshot`` says, for machines. Its names are an interface: they stay. Times are in seconds since
/// 1970, durations in seconds.
public struct StatusReport: Codable, Sendable {
    public var version: String
    /// The time at which it was made.
    public var time: Double
    public var startTime: Double
    /// `running` or `draining`.
    public var state: String
    public var process: Process
    /// Nil where no limit of memory is known.
    public var memory: Memory?
    public var workers: [Worker]
    public var routes: [Route]
    public var reloads: Reloads
    public var droppedLogLines: UInt64
    /// The log's latest warnings and errors, the latest last.
    public var messages: [Message]

    public struct Process: Codable, Sendable {
        public var cpuSeconds: Double
        public var residentBytes: UInt64
        public var openDescriptors: Int
        public var maxDescriptors: Int
        public var threads: Int
    }

    /// The limit of memory that is nearest.
    public struct Memory: Codable, Sendable {
        /// `cgroup`, `address_space` or `data`.
        public var source: String
        public var limitBytes: Int
        public var usedBytes: Int
        /// `ample`, `tight` or `critical`.
        public var level: String
        /// The number of times it has become critical.
        public var shortages: UInt64
    }

    public struct Worker: Codable, Sendable {
        public var number: Int
        public var loopLag: Double
        public var parkedBytes: Int
        public var connections: Int
    }

    public struct Route: Codable, Sendable {
        public var name: String
        public var listen: [String]
        public var upstream: String
        /// `tcp`, `http` or `udp`.
        public var `protocol`: String
        public var app: App
        public var connections: Bounded
        public var held: Int
        public var queued: Bounded
        public var upstreamConnections: Bounded
        public var pool: Pool
        public var totals: Totals
        /// The failures, the latest first; only causes that have occurred.
        public var failures: [Failure]
        /// The last interval's rates; nil before the first.
        public var latest: Sample?
    }

    public struct App: Codable, Sendable {
        /// `up`, `down` or `unknown`.
        public var presence: String
        /// Nil where it has not changed since the start.
        public var since: Double?
    }

    /// A number and its bound; nil where there is none.
    public struct Bounded: Codable, Sendable {
        public var count: Int
        public var limit: Int?
    }

    public struct Pool: Codable, Sendable {
        public var idle: Int
        public var spare: Int
        public var hits: UInt64
        public var misses: UInt64
        public var evictions: UInt64
        public var stale: UInt64
    }

    /// Since the start.
    public struct Totals: Codable, Sendable {
        public var connections: UInt64
        /// Nil where the route does not carry HTTP.
        public var requests: UInt64?
        public var bytesToApp: UInt64
        public var bytesToClient: UInt64
        /// Nil where the route does not carry datagrams.
        public var datagramsToApp: UInt64?
        public var datagramsToClient: UInt64?
        public var failures: UInt64
    }

    public struct Failure: Codable, Sendable {
        public var cause: String
        public var explanation: String
        public var count: UInt64
        /// The time at which it was last noticed, to the sampling interval; nil for before the first sample.
        public var lastTime: Double?
    }

    public struct Message: Codable, Sendable {
        public var time: Double
        public var level: String
        public var text: String
        public var count: Int
    }

    public struct Reloads: Codable, Sendable {
        public var succeeded: UInt64
        public var failed: UInt64
        public var lastSuccess: Double
        public var hasFailedLast: Bool
    }

    /// One interval of a route's history. Rates are per second; percentiles in seconds, nil where nothing happened.
    public struct Sample: Codable, Sendable {
        public var time: Double
        public var connections: Int
        public var waiting: Int
        public var connectionsPerSecond: Double
        /// Nil where the route does not carry HTTP.
        public var requestsPerSecond: Double?
        public var bytesToAppPerSecond: Double
        public var bytesToClientPerSecond: Double
        /// Nil where the route does not carry datagrams.
        public var datagramsToAppPerSecond: Double?
        public var datagramsToClientPerSecond: Double?
        public var failuresPerSecond: Double
        /// The time of requests from their first byte to the end of their response, with HTTP; of connecting to the
        /// app otherwise.
        public var latency: Percentiles?
        public var isAppUp: Bool?
    }

    public struct Percentiles: Codable, Sendable {
        public var p50: Double
        public var p90: Double
        public var p99: Double
    }
}

/// `/history.json`: the last minutes of each route.
public struct HistoryReport: Codable, Sendable {
    /// Seconds between two samples.
    public var interval: Double
    /// The number of the last sample; `/history.json?after=N` gives those behind it. It starts anew when the program does.
    public var last: Int
    /// The time of the program's start, by which a restart is noticed.
    public var startTime: Double
    /// The samples of each route, the oldest first.
    public var routes: [String: [StatusReport.Sample]]
}

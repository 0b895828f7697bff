public import EventLoop

/// All that the program knows of itself at one moment: what metrics, the status page and `top` are made from.
///
/// Put together on the control thread, from what the workers report.
public struct Snapshot: Sendable {
    /// The time at which it was complete.
    public var time: Timestamp
    /// The same time, for differences.
    public var monotonicTime: MonotonicTime
    public var program: Program
    public var process: ProcessUsage
    /// Nil where no limit of memory is known.
    public var memory: Memory?
    public var workers: [Worker]
    public var routes: [Route]
    public var reloads: Reloads
    /// Log lines that nobody took in time.
    public var droppedLogLines: UInt64
    /// The log's latest warnings and errors, the latest last.
    public var messages: [LogMessage]

    public init(
        time: Timestamp, monotonicTime: MonotonicTime, program: Program, process: ProcessUsage, memory: Memory? = nil,
        workers: [Worker], routes: [Route], reloads: Reloads, droppedLogLines: UInt64, messages: [LogMessage]
    ) {
        self.time = time
        self.monotonicTime = monotonicTime
        self.program = program
        self.process = process
        self.memory = memory
        self.workers = workers
        self.routes = routes
        self.reloads = reloads
        self.droppedLogLines = droppedLogLines
        self.messages = messages
    }

    /// The program, and its state.
    public struct Program: Sendable {
        public var version: String
        public var startTime: Timestamp
        /// No client is accepted any more.
        public var isDraining: Bool
        /// Routes are found while the program runs (`auto`, and `run` without a route), so that none is no mistake yet.
        public var findsRoutes: Bool

        public init(version: String, startTime: Timestamp, isDraining: Bool, findsRoutes: Bool) {
            self.version = version
            self.startTime = startTime
            self.isDraining = isDraining
            self.findsRoutes = findsRoutes
        }
    }

    /// The state of memory, by the limit that is nearest.
    public struct Memory: Sendable, Equatable {
        /// The level of shortage.
        public enum Level: String, Sendable, Codable {
            case ample
            /// Idle connections to apps are closed, and less is parked.
            case tight
            /// New clients are refused.
            case critical
        }

        /// `cgroup`, `address_space` or `data`: what the limit is one of.
        public var source: String
        public var limitBytes: Int
        /// The bytes that count against the limit, including other processes in the same cgroup.
        public var usedBytes: Int
        public var level: Level
        /// The number of times it has become critical.
        public var shortages: UInt64

        public init(source: String, limitBytes: Int, usedBytes: Int, level: Level, shortages: UInt64) {
            self.source = source
            self.limitBytes = limitBytes
            self.usedBytes = usedBytes
            self.level = level
            self.shortages = shortages
        }
    }

    /// One thread's state.
    public struct Worker: Sendable {
        public var number: Int
        /// The time that a message waited until its loop took it, or has waited so far.
        public var loopLag: Duration
        /// Bytes that one side has sent and the other not yet taken.
        public var parkedBytes: Int
        public var connections: Int

        public init(number: Int, loopLag: Duration, parkedBytes: Int, connections: Int) {
            self.number = number
            self.loopLag = loopLag
            self.parkedBytes = parkedBytes
            self.connections = connections
        }
    }

    /// A route's state and what it has counted, over all workers.
    public struct Route: Sendable {
        public var name: String
        /// The addresses where clients are accepted now.
        public var listen: [String]
        public var upstream: String
        /// `tcp`, `http` or `udp`.
        public var `protocol`: String
        public var app: AppState
        /// Clients that are connected, and how many may be.
        public var connections: Int
        public var connectionLimit: Int
        /// Clients that wait for an app that is not listening.
        public var held: Int
        /// Clients that wait for a place among the app's connections, and how many may; nil where there is no bound.
        public var queued: Int
        public var queueLimit: Int?
        /// Connections to the app in use, and how many there may be with those that nobody uses; nil where there is no bound.
        public var upstreamConnections: Int
        public var upstreamConnectionLimit: Int?
        /// Connections to the app that nobody uses: used before, and opened ahead.
        public var idle: Int
        public var spare: Int
        public var counters: RouteCounters
        /// Why clients are not accepted everywhere where they should be; each the end of a sentence that the route's name
        /// begins.
        public var obstacles: [String]

        public init(
            name: String, listen: [String], upstream: String, protocol: String, app: AppState, connections: Int = 0,
            connectionLimit: Int, held: Int = 0, queued: Int = 0, queueLimit: Int? = nil, upstreamConnections: Int = 0,
            upstreamConnectionLimit: Int? = nil, idle: Int = 0, spare: Int = 0,
            counters: RouteCounters = RouteCounters(), obstacles: [String] = []
        ) {
            self.name = name
            self.listen = listen
            self.upstream = upstream
            self.protocol = `protocol`
            self.app = app
            self.connections = connections
            self.connectionLimit = connectionLimit
            self.held = held
            self.queued = queued
            self.queueLimit = queueLimit
            self.upstreamConnections = upstreamConnections
            self.upstreamConnectionLimit = upstreamConnectionLimit
            self.idle = idle
            self.spare = spare
            self.counters = counters
            self.obstacles = obstacles
        }
    }

    /// Whether a route's app is there.
    public struct AppState: Sendable, Equatable {
        public enum Presence: String, Sendable, Codable {
            /// The app listens.
            case up
            /// Nobody listens.
            case down
            /// The app is not on this machine, and no client has asked for it yet.
            case unknown
        }

        public var presence: Presence
        /// The time of the last change; nil for none since the start.
        public var since: Timestamp?

        public init(_ presence: Presence, since: Timestamp? = nil) {
            self.presence = presence
            self.since = since
        }
    }

    /// The number of reloads.
    public struct Reloads: Sendable, Equatable {
        public var succeeded: UInt64 = 0
        public var failed: UInt64 = 0
        /// The time at which the configuration was read: the start, or the last reload that succeeded.
        public var lastSuccess: Timestamp
        /// Whether the last one failed.
        public var hasFailedLast = false

        public init(lastSuccess: Timestamp) {
            self.lastSuccess = lastSuccess
        }
    }
}

import CKernel
import Glibc
import Histogram

/// Requests at a fixed rate, whether or not the answers keep up: an open loop.
///
/// Each request has a time at which it should be sent, and its latency counts from there. So a request that has to
/// wait, because all connections still wait for answers, shows that wait, as a user would feel it.
public struct FixedRateLoad {
    /// Where the proxy listens, an IPv4 address.
    public var host: String
    public var port: Int
    public var connections: Int
    /// Requests a second, all connections together.
    public var rate: Int
    public var seconds: Double

    public init(host: String, port: Int, connections: Int, rate: Int, seconds: Double) {
        self.host = host
        self.port = port
        self.connections = connections
        self.rate = rate
        self.seconds = seconds
    }

    /// What came of it.
    public struct Result {
        /// Nanoseconds from the intended time of a request to the end of its answer.
        let latency: Histogram<UInt64>
        /// How many requests, all answered.
        public let requests: Int
        /// How long that took; longer than asked for if the answers did not keep up.
        public let seconds: Double

        /// The latency, in microseconds, that this share of the requests did not exceed.
        /// - Parameter percentile: 0 to 100.
        public func microseconds(percentile: Double) -> Double {
            Double(latency.valueAtPercentile(percentile)) / 1000
        }
    }

    /// Runs to the end, or until five times the time is over.
    /// - Parameter connected: called once all connections are open and have had a request that does not count.
    public func run(connected: () throws -> Void) throws -> Result {
        // Without this the kernel wakes us up to 50 us late.
        _ = set_timer_slack_to_nothing()
        let bundle = try KeptConnections(host: host, port: port, count: connections)
        try connected()
        var poller = try bundle.poller()

        var latency = Histogram<UInt64>(highestTrackableValue: 60_000_000_000, numberOfSignificantValueDigits: .three)
        let total = max(1, Int(Double(rate) * seconds))
        let start = Clock.now
        let deadline = start + UInt64(seconds * 5e9) + 1_000_000_000
        func intended(_ number: Int) -> UInt64 { start + UInt64(number) * 1_000_000_000 / UInt64(rate) }

        var free = Array((0..<connections).reversed())
        var intendedTimes = [UInt64](repeating: 0, count: connections)
        var sent = 0
        var answered = 0
        var now = start
        while answered < total {
            while sent < total, intended(sent) <= now, let index = free.popLast() {
                intendedTimes[index] = intended(sent)
                try bundle.send(index)
                sent += 1
            }
            guard now < deadline else {
                throw LoadFailure("only \(answered) of \(total) requests were answered in five times the time")
            }
            var wait: UInt64 = 100_000_000
            if sent < total, !free.isEmpty {
                now = Clock.now
                wait = intended(sent) > now ? intended(sent) - now : 0
            }
            try poller.wait(nanoseconds: wait) { (index) throws(LoadFailure) in
                guard try bundle.receive(index) else { return }
                latency.record(Clock.now - intendedTimes[index])
                free.append(index)
                answered += 1
            }
            now = Clock.now
        }
        return Result(latency: latency, requests: answered, seconds: Double(Clock.now - start) / 1e9)
    }
}

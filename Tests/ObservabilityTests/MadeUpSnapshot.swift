import EventLoop

@testable import Observability

/// A snapshot of a program that never ran.
enum MadeUp {
    static let startTime = Timestamp(secondsSince1970: 1_795_252_000, milliseconds: 500)
    /// When ``snapshot(after:_:)`` counts from.
    static let start = MonotonicTime.now

    /// A snapshot so many seconds after the start.
    static func snapshot(
        after seconds: Int = 60, version: String = "1.2.3", isDraining: Bool = false, findsRoutes: Bool = false,
        workers: [Snapshot.Worker] = [worker(0)], _ routes: [Snapshot.Route]
    ) -> Snapshot {
        Snapshot(
            time: Timestamp(secondsSince1970: 1_795_252_000 + seconds, milliseconds: 500),
            monotonicTime: start.advanced(by: .seconds(seconds)),
            program: Snapshot.Program(
                version: version, startTime: startTime, isDraining: isDraining, findsRoutes: findsRoutes),
            process: ProcessUsage(
                cpuSeconds: 1.25, residentBytes: 8_388_608, virtualBytes: 16_777_216, openDescriptors: 42,
                maxDescriptors: 1024, threads: 4),
            workers: workers, routes: routes, reloads: Snapshot.Reloads(lastSuccess: startTime), droppedLogLines: 3,
            messages: [LogMessage(time: startTime, level: .warning, text: "something is odd", count: 2)])
    }

    static func worker(_ number: Int, loopLag: Duration = .milliseconds(2)) -> Snapshot.Worker {
        Snapshot.Worker(number: number, loopLag: loopLag, parkedBytes: 4096, connections: 7)
    }

    static func route(
        _ name: String = "web", protocol: String = "tcp", app: Snapshot.AppState = Snapshot.AppState(.up),
        counting: (inout RouteCounters) -> Void = { _ in }
    ) -> Snapshot.Route {
        var counters = RouteCounters()
        counting(&counters)
        return Snapshot.Route(
            name: name, listen: ["0.0.0.0:8080"], upstream: "localhost:8000", protocol: `protocol`, app: app,
            connections: 7, connectionLimit: 10_000, held: 1, queued: 2, queueLimit: 1000, upstreamConnections: 4,
            upstreamConnectionLimit: nil, idle: 5, spare: 6, counters: counters)
    }
}

extension Histogram<DurationScale> {
    /// Counts a duration, which must not be negative.
    mutating func count(_ duration: Duration) { count(UInt64(duration / .nanoseconds(1))) }
}

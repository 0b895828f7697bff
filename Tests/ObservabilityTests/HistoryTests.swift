import EventLoop
import Testing

@testable import Observability

@Suite struct HistoryTests {
    private static func web(_ counting: (inout RouteCounters) -> Void = { _ in }) -> Snapshot.Route {
        MadeUp.route("web", counting: counting)
    }

    @Test func computesRatesOfAnInterval() throws {
        var history = History()
        history.record(MadeUp.snapshot(after: 10, [Self.web { $0.connections = 100 }]))
        #expect(history.latest(route: "web") == nil)
        history.record(
            MadeUp.snapshot(
                after: 12,
                [
                    Self.web { counters in
                        counters.connections = 130
                        counters.bytesToApp = 500
                        counters.bytesToClient = 9000
                        counters.failures[.appFailed] = 3
                        counters.failures[.idleTimeout] = 1
                    }
                ]))
        let sample = try #require(history.latest(route: "web"))
        #expect(sample.connectionsPerSecond == 15)
        #expect(sample.bytesToAppPerSecond == 250)
        #expect(sample.bytesToClientPerSecond == 4500)
        #expect(sample.failuresPerSecond == 2)
        #expect(sample.requestsPerSecond == nil)
        #expect(sample.connections == 7)
        #expect(sample.waiting == 3)
        #expect(sample.isAppUp == true)
        #expect(sample.latency == nil)
        #expect(sample.time == 1_795_252_012.5)
    }

    /// Only what happened in the interval counts: of connecting without HTTP, of requests with it.
    @Test(arguments: [false, true]) func computesPercentilesOfAnInterval(isHTTP: Bool) throws {
        func route(_ counts: [(Int, Duration)]) -> Snapshot.Route {
            MadeUp.route("web", protocol: isHTTP ? "http" : "tcp") { counters in
                for (times, duration) in counts {
                    for _ in 0..<times {
                        if isHTTP {
                            counters.requests.time.count(duration)
                            counters.requests.byClass[2] += 1
                        } else {
                            counters.connectTime.count(duration)
                        }
                    }
                }
            }
        }
        var history = History()
        history.record(MadeUp.snapshot(after: 0, [route([(1000, .seconds(50))])]))
        history.record(
            MadeUp.snapshot(after: 1, [route([(1000, .seconds(50)), (98, .milliseconds(9)), (2, .seconds(2))])]))
        let sample = try #require(history.latest(route: "web"))
        let latency = try #require(sample.latency)
        #expect((0.0063...0.010).contains(latency.p50))
        #expect((0.0063...0.010).contains(latency.p90))
        #expect((1.6...2.5).contains(latency.p99))
        #expect(sample.requestsPerSecond == (isHTTP ? 100 : nil))
    }

    @Test func keepsFiveMinutes() throws {
        var history = History()
        for second in 0...400 { history.record(MadeUp.snapshot(after: second, [Self.web()])) }
        let report = history.report(after: nil, startTime: MadeUp.startTime)
        #expect(report.last == 401)
        #expect(report.interval == 1)
        #expect(report.startTime == 1_795_252_000.5)
        let samples = try #require(report.routes["web"])
        #expect(samples.count == 300)
        #expect(samples.first?.time == 1_795_252_101.5)
        #expect(samples.last?.time == 1_795_252_400.5)
    }

    @Test func reportsWhatIsNew() {
        var history = History()
        for second in 0..<10 { history.record(MadeUp.snapshot(after: second, [Self.web()])) }
        func count(after number: Int) -> Int? {
            history.report(after: number, startTime: MadeUp.startTime).routes["web"]?.count
        }
        #expect(count(after: 10) == 0)
        #expect(count(after: 8) == 2)
        #expect(count(after: 0) == 9)
        #expect(count(after: -5) == 9)
        // Somebody who has seen an earlier process.
        #expect(count(after: 11) == 9)
    }

    @Test func followsRoutesThatComeAndGo() {
        var history = History()
        history.record(MadeUp.snapshot(after: 0, [Self.web()]))
        history.record(MadeUp.snapshot(after: 1, [Self.web(), MadeUp.route("late")]))
        #expect(history.latest(route: "late") == nil)
        history.record(MadeUp.snapshot(after: 2, [MadeUp.route("late")]))
        #expect(history.latest(route: "web") == nil)
        #expect(history.latest(route: "late") != nil)
        let report = history.report(after: nil, startTime: MadeUp.startTime)
        #expect(report.routes.mapValues(\.count) == ["late": 1])
    }

    /// A route that was taken away and added again between two snapshots.
    @Test func startsAnewWhereCountersDo() throws {
        var history = History()
        history.record(MadeUp.snapshot(after: 0, [Self.web { $0.connections = 50 }]))
        history.record(
            MadeUp.snapshot(
                after: 1,
                [
                    Self.web {
                        $0.connections = 60
                        $0.failures[.appBusy] = 1
                    }
                ]))
        #expect(history.lastFailure(route: "web", .appBusy) != nil)
        history.record(MadeUp.snapshot(after: 2, [Self.web { $0.connections = 2 }]))
        #expect(history.latest(route: "web") == nil)
        #expect(history.lastFailure(route: "web", .appBusy) == nil)
        history.record(MadeUp.snapshot(after: 3, [Self.web { $0.connections = 5 }]))
        #expect(try #require(history.latest(route: "web")).connectionsPerSecond == 3)
    }

    @Test func ignoresASnapshotOfTheSameMoment() throws {
        var history = History()
        history.record(MadeUp.snapshot(after: 0, [Self.web()]))
        history.record(MadeUp.snapshot(after: 0, [Self.web { $0.connections = 9 }]))
        #expect(history.latest(route: "web") == nil)
        history.record(MadeUp.snapshot(after: 1, [Self.web { $0.connections = 9 }]))
        #expect(try #require(history.latest(route: "web")).connectionsPerSecond == 9)
    }

    @Test func knowsWhenACauseWasLastSeen() {
        var history = History()
        func record(_ second: Int, _ count: UInt64) {
            history.record(MadeUp.snapshot(after: second, [Self.web { $0.failures[.noAnswer] = count }]))
        }
        record(0, 5)
        #expect(history.lastFailure(route: "web", .noAnswer) == nil)
        record(1, 6)
        record(2, 6)
        #expect(history.lastFailure(route: "web", .noAnswer)?.secondsSince1970 == 1_795_252_001.5)
        #expect(history.lastFailure(route: "web", .appFailed) == nil)
    }
}

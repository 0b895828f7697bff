import EventLoop
import Testing

@testable import Observability

@Suite struct RouteCountersTests {
    private let start = MonotonicTime.now

    private func after(_ milliseconds: Int) -> MonotonicTime { start.advanced(by: .milliseconds(milliseconds)) }

    /// - Parameters: in milliseconds after the request's first byte; nil where it did not happen.
    private func request(
        status: Int?, failure: FailureCause? = nil, end: Int = 9, connected: Int? = 1, firstByte: Int? = 4
    ) -> RouteCounters {
        let tally = RouteTally()
        if let failure { tally.countFailure(failure) }
        tally.countRequest(
            status: status, from: start, to: after(end), connected: connected.map(after),
            firstByte: firstByte.map(after), bytesToApp: 100, bytesToClient: 5000)
        return tally.copy()
    }

    @Test(arguments: [(100, 1), (200, 2), (299, 2), (304, 3), (404, 4), (503, 5), (599, 5), (999, 5), (7, 0)])
    func requestsAreCountedByTheFirstDigitOfTheirStatus(status: Int, digit: Int) {
        let requests = request(status: status).requests
        #expect((0..<6).map { requests.byClass[$0] } == (0..<6).map { $0 == digit ? 1 : 0 })
        #expect(requests.total == 1)
    }

    @Test func anAnsweredRequestHasTimesAndSizes() {
        let requests = request(status: 200).requests
        #expect(requests.time.total == 1 && requests.time.sum == 9_000_000)
        #expect(requests.firstByteTime.total == 1 && requests.firstByteTime.sum == 3_000_000)
        #expect(requests.requestSize.total == 1 && requests.requestSize.sum == 100)
        #expect(requests.responseSize.total == 1 && requests.responseSize.sum == 5000)
    }

    @Test func oneThatWasNotAnsweredHasNone() {
        let counters = request(status: nil, failure: .clientLeft, connected: nil, firstByte: nil)
        #expect(counters.requests.byClass[0] == 1)
        #expect(counters.requests.time.total == 0 && counters.requests.firstByteTime.total == 0)
        #expect(counters.requests.requestSize.total == 0 && counters.requests.responseSize.total == 0)
        #expect(counters.failures[.clientLeft] == 1 && counters.failures.total == 1)
    }

    @Test func oneThatTheAppHasNotSeenHasNoFirstByte() {
        let counters = request(status: 503, failure: .appNotListening, connected: nil, firstByte: nil)
        #expect(counters.requests.time.total == 1 && counters.requests.firstByteTime.total == 0)
        #expect(counters.failures[.appNotListening] == 1)
    }

    /// It lasts as long as the client likes, and would bury all others.
    @Test func theLifeOfAWebSocketIsNoRequestsTime() {
        let requests = request(status: 101, end: 3_600_000).requests
        #expect(requests.byClass[1] == 1)
        #expect(requests.time.total == 0)
        #expect(requests.firstByteTime.total == 1 && requests.responseSize.total == 1)
    }

    @Test func everyCauseHasAPlaceOfItsOwn() {
        var failures = RouteCounters.Failures()
        for (number, cause) in FailureCause.allCases.enumerated() { failures[cause] += UInt64(number) }
        for (number, cause) in FailureCause.allCases.enumerated() { #expect(failures[cause] == UInt64(number)) }
        let count = UInt64(FailureCause.allCases.count)
        #expect(failures.total == count * (count - 1) / 2)
    }

    @Test func theWayToTheAppIsWaitingAndConnecting() {
        let tally = RouteTally()
        tally.countConnect(started: start, called: after(20), answered: after(21), isConnected: true)
        #expect(tally.copy().waitTime.sum == 20_000_000 && tally.copy().connectTime.sum == 1_000_000)
        // Refused after having been called, and never called at all.
        tally.countConnect(started: start, called: after(5), answered: after(6), isConnected: false)
        tally.countConnect(started: start, called: nil, answered: after(30), isConnected: false)
        // Served with a connection that somebody gave back.
        tally.countConnect(started: start, called: nil, answered: after(40), isConnected: true)
        let counters = tally.copy()
        #expect(counters.waitTime.total == 4 && counters.waitTime.sum == 95_000_000)
        #expect(counters.connectTime.total == 1)
    }

    @Test func aConnectionsEndAddsItsBytesAndItsTime() {
        let tally = RouteTally()
        tally.countConnection()
        tally.countEnd(after: .coarse, bytesToApp: 3, bytesToClient: 4)
        tally.countEnd(after: start.advanced(by: .seconds(-10)), bytesToApp: 30, bytesToClient: 40)
        let counters = tally.copy()
        #expect(counters.connections == 1)
        #expect(counters.endedConnections == 2 && counters.bytesToApp == 33 && counters.bytesToClient == 44)
        #expect(counters.connectionTime.total == 2)
        // The coarse clock is late by up to 10 ms.
        #expect((9_980_000_000...).contains(counters.connectionTime.sum))
    }

    @Test func addingAddsEverything() {
        var sum = request(status: 200)
        sum.connections = 5
        sum.pool.hits = 1
        let tally = RouteTally()
        tally.countConnect(started: start, called: after(1), answered: after(2), isConnected: true)
        tally.countEnd(after: start, bytesToApp: 10, bytesToClient: 20)
        var other = request(status: 502, failure: .noAnswer)
        other.add(tally.copy())
        other.connections = 7
        other.pool.hits = 2
        other.pool.misses = 3
        other.pool.evictions = 4
        other.pool.stale = 5
        sum.add(other)
        #expect(sum.connections == 12 && sum.endedConnections == 1)
        #expect(sum.bytesToApp == 10 && sum.bytesToClient == 20)
        #expect(sum.failures[.noAnswer] == 1 && sum.failures.total == 1)
        #expect(sum.pool.hits == 3 && sum.pool.misses == 3 && sum.pool.evictions == 4 && sum.pool.stale == 5)
        #expect(sum.connectTime.total == 1 && sum.waitTime.total == 1 && sum.connectionTime.total == 1)
        #expect(sum.requests.total == 2 && sum.requests.byClass[2] == 1 && sum.requests.byClass[5] == 1)
        #expect(sum.requests.time.total == 2 && sum.requests.firstByteTime.total == 2)
        #expect(sum.requests.requestSize.total == 2 && sum.requests.responseSize.sum == 10_000)
    }
}

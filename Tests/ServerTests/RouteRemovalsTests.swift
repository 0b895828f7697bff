import EventLoop
import TestSupport
import Testing

@testable import Server

@Suite(.timeLimit(.minutes(1))) struct RouteRemovalsTests {
    @Test func eachRouteIsResetOnceItsTimeHasPassed() throws {
        let loop = try EventLoop()
        var reset: [Int] = []
        let removals = try RouteRemovals(on: loop) { reset.append($0) }
        removals.add(1, within: .milliseconds(80))
        removals.add(2, within: .milliseconds(20))
        removals.add(3, within: .seconds(3600))
        let isDone = try loop.run(until: { reset.count == 2 })
        #expect(isDone)
        #expect(reset == [2, 1])
    }

    @Test func nothingIsResetOnceItHasGone() throws {
        let loop = try EventLoop()
        var reset: [Int] = []
        var removals: RouteRemovals? = try RouteRemovals(on: loop) { reset.append($0) }
        removals?.add(1, within: .milliseconds(10))
        removals = nil
        #expect(try !loop.run(until: { !reset.isEmpty }, atMost: .milliseconds(100)))
    }
}

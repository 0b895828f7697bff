import EventLoop
import Testing

@testable import Upstream

/// Every transition of a connector's course, without sockets and timers; `Sources/Upstream/README.md` has them as a table.
@Suite struct ConnectorStateMachineTests {
    private final class Request: WaitingRequest {
        let started = MonotonicTime.now
        var mayWait = true
    }

    private typealias Machine = ConnectorStateMachine<Request>

    private var machine = Machine()
    private let requests = (0..<4).map { _ in Request() }

    // MARK: Getting to a phase

    /// The first request has met an obstacle, and this worker calls.
    private static func calling(_ requests: [Request], for obstacle: Connector.Obstacle = .notListening) -> Machine {
        var machine = Machine()
        #expect(machine.needsVerdict)
        #expect(
            machine.mustWait(requests[0], for: obstacle, .makesAttempts) == .waitsAndCalls(after: .milliseconds(5)))
        for request in requests.dropFirst() { #expect(machine.asked(request, isAppAway: false) == .isWaiting) }
        return machine
    }

    private static func listening(_ requests: [Request]) -> Machine {
        var machine = Machine()
        for request in requests {
            let verdict = machine.needsVerdict ? HoldCoordinator.Verdict.waits : nil
            #expect(machine.mustWait(request, for: .notListening, verdict) == .waits)
        }
        return machine
    }

    /// The first request is on trial, and the others wait behind it.
    private static func releasing(_ requests: [Request]) -> Machine {
        var machine = listening(requests)
        #expect(machine.released() == .letIn)
        #expect(machine.letsIn() === requests[0])
        return machine
    }

    // MARK: Open

    @Test func whileTheAppAnswersEveryRequestIsTried() {
        var machine = Machine()
        #expect(machine.asked(requests[0], isAppAway: false) == .attempt)
        #expect(machine.line.isEmpty && machine.isOpen)
    }

    @Test func whileAnotherWorkerFindsNobodyRequestsWaitUntried() {
        var machine = Machine()
        #expect(machine.asked(requests[0], isAppAway: true) == .wait)
        #expect(machine.line.isEmpty && machine.isOpen, "the coordinator decides first")
    }

    @Test func anAttemptDecidesWhetherARequestWaits() {
        let request = requests[0]
        #expect(machine.attemptEnded(request, .connected, holds: true) == .complete)
        #expect(machine.attemptEnded(request, .failed, holds: true) == .complete)
        #expect(machine.attemptEnded(request, .refused, holds: true) == .wait(for: .notListening))
        #expect(machine.attemptEnded(request, .refused, holds: false) == .complete)
        #expect(machine.attemptEnded(request, .busy, holds: true) == .wait(for: .busy))
        #expect(machine.attemptEnded(request, .busy, holds: false) == .wait(for: .busy))
        request.mayWait = false
        #expect(machine.attemptEnded(request, .refused, holds: true) == .complete)
        #expect(machine.attemptEnded(request, .busy, holds: true) == .complete)
    }

    @Test func whereTheAppHasComeBackMeanwhileTheRequestIsTriedAgain() {
        var machine = Machine()
        #expect(machine.mustWait(requests[0], for: .notListening, .outdated) == .tryAgain)
        #expect(machine.line.isEmpty && machine.isOpen)
    }

    @Test func nothingElseHappensWhileItIsOpen() {
        var machine = Machine()
        #expect(machine.callDue() == nil)
        #expect(machine.released() == .nothing)
        #expect(machine.takesOver() == nil)
        #expect(machine.goOnCalling() == .nothing)
        #expect(machine.letsIn() == nil)
        #expect(machine.withdrawn(requests[0], whileBeingTried: true) == .nothing)
        #expect(machine.trialEnded(requests[0]) == false)
        #expect(machine.expire { _, _ in true }.requests.count == 0)
        #expect(machine.isOpen)
    }

    // MARK: Waiting

    @Test func theFirstToBeRefusedCallsForAll() {
        let machine = Self.calling(requests)
        #expect(machine.callDue() === requests[0])
        #expect(!machine.needsVerdict, "the coordinator knows")
        #expect(machine.line.count == 4)
    }

    @Test func whereAnotherWorkerCallsThisOneListens() {
        let machine = Self.listening(requests)
        #expect(machine.callDue() == nil)
        #expect(machine.line.count == 4)
    }

    @Test func aRequestThatCameEarlierGoesInFront() {
        var machine = Machine()
        for index in [2, 0, 3, 1] {
            _ = machine.mustWait(requests[index], for: .notListening, machine.needsVerdict ? .waits : nil)
        }
        #expect(zip(machine.line, requests).allSatisfy { $0 === $1 })
    }

    @Test func theLatestObstacleCounts() {
        var machine = Self.calling([requests[0]])
        #expect(machine.obstacle == .notListening)
        #expect(machine.mustWait(requests[1], for: .busy, nil) == .waits)
        #expect(machine.obstacle == .busy)
        #expect(machine.callDue() === requests[0], "the role stays")
        #expect(machine.callEnded(requests[0], .refused) == .goOn)
        #expect(machine.obstacle == .notListening)
        #expect(machine.callEnded(requests[0], .busy) == .goOn)
        #expect(machine.obstacle == .busy)
    }

    @Test func callsAreMadeAtGrowingIntervals() {
        var machine = Self.calling(requests)
        let delays = (0..<8).map { _ in
            #expect(machine.callEnded(requests[0], .refused) == .goOn)
            return machine.goOnCalling()
        }
        #expect(delays == [10, 20, 40, 80, 160, 250, 250, 250].map { .call(after: .milliseconds($0)) })
    }

    @Test func aCallThatFailsEndsItsRequestAlone() {
        var machine = Self.calling(requests)
        #expect(machine.callEnded(requests[0], .failed) == .complete)
        #expect(machine.goOnCalling() == .call(after: .milliseconds(10)))
        #expect(machine.callDue() === requests[1])
    }

    @Test(arguments: [Connector.AttemptEnd.refused, .busy])
    func aCallEndsARequestThatMayNotWait(_ end: Connector.AttemptEnd) {
        var machine = Self.calling(requests)
        requests[0].mayWait = false
        #expect(machine.callEnded(requests[0], end) == .complete)
        #expect(machine.callDue() === requests[1])
    }

    @Test func theLastOneToFailEndsTheWaiting() {
        var machine = Self.calling([requests[0]])
        #expect(machine.callEnded(requests[0], .failed) == .complete)
        #expect(machine.goOnCalling() == .nobodyWaits)
        #expect(machine.isOpen)
    }

    @Test func whoLeavesWhileBeingCalledForHasTheNextOneCalledFor() {
        var machine = Self.calling(requests)
        #expect(machine.withdrawn(requests[2], whileBeingTried: false) == .nothing)
        #expect(machine.withdrawn(requests[0], whileBeingTried: true) == .callAgain(after: .milliseconds(5)))
        #expect(machine.callDue() === requests[1])
        #expect(machine.withdrawn(requests[0], whileBeingTried: true) == .nothing, "it has left")
        #expect(machine.withdrawn(requests[1], whileBeingTried: false) == .nothing)
        #expect(machine.withdrawn(requests[3], whileBeingTried: false) == .nobodyWaits)
        #expect(machine.isOpen)
    }

    @Test func whoLeavesAWorkerThatListensHurriesNobody() {
        var machine = Self.listening(requests)
        #expect(machine.withdrawn(requests[0], whileBeingTried: true) == .nothing)
    }

    @Test func thoseWhoHaveWaitedTooLongLeaveInOrder() {
        var machine = Self.calling(requests)
        var asked = 0
        let expired = machine.expire { request, obstacle in
            asked += 1
            return obstacle == .notListening && request !== requests[2]
        }
        #expect(zip(expired.requests, requests[..<2]).allSatisfy { $0 === $1 } && expired.requests.count == 2)
        #expect(asked == 3, "nobody behind one who may still wait has waited longer")
        #expect(expired.backoff == .milliseconds(5) && !expired.nobodyWaits)
        let rest = machine.expire { _, _ in true }
        #expect(rest.requests.count == 2 && rest.nobodyWaits)
        #expect(machine.isOpen)
    }

    @Test func aWorkerThatListensHasNoCallToMakeUpFor() {
        var machine = Self.listening(requests)
        let expired = machine.expire { request, _ in request === requests[0] }
        #expect(expired.requests.count == 1 && expired.backoff == nil && !expired.nobodyWaits)
    }

    @Test func aWorkerTakesOver() {
        var machine = Self.listening(requests)
        #expect(machine.takesOver() == .milliseconds(5))
        #expect(machine.callDue() === requests[0])
    }

    // MARK: Releasing

    @Test func whoeverHasCalledTellsTheOthers() {
        var machine = Self.calling(requests)
        #expect(machine.callEnded(requests[0], .connected) == .release)
        #expect(machine.released() == .tellAndLetIn)
        #expect(machine.line.count == 3)
        #expect(machine.released() == .nothing, "twice")
    }

    @Test func whoeverHasListenedOnlyLetsItsOwnIn() {
        var machine = Self.listening(requests)
        #expect(machine.released() == .letIn)
    }

    @Test func oneIsLetInAfterTheOther() {
        var machine = Self.releasing(requests)
        #expect(machine.letsIn() == nil, "the first is undecided")
        #expect(machine.trialEnded(requests[1]) == false, "it is not on trial")
        #expect(machine.trialEnded(requests[0]) == true)
        #expect(machine.letsIn() === requests[1])
    }

    @Test func whoComesMeanwhileWaitsBehind() {
        var machine = Self.releasing(Array(requests[..<2]))
        #expect(machine.asked(requests[2], isAppAway: false) == .isWaiting)
        #expect(machine.trialEnded(requests[0]) == true)
        #expect(machine.letsIn() === requests[1])
        #expect(machine.trialEnded(requests[1]) == true)
        #expect(machine.letsIn() === requests[2])
    }

    @Test func whenAllAreInItIsOpenAgain() {
        var machine = Self.releasing([requests[0]])
        #expect(machine.trialEnded(requests[0]) == true)
        guard case .over = machine.letIn() else {
            Issue.record("not over")
            return
        }
        #expect(machine.isOpen)
        #expect(machine.asked(requests[1], isAppAway: false) == .attempt)
    }

    @Test func whoLeavesMeanwhileIsNotLetIn() {
        var machine = Self.releasing(requests)
        #expect(machine.withdrawn(requests[1], whileBeingTried: false) == .nothing)
        #expect(machine.trialEnded(requests[0]) == true)
        #expect(machine.letsIn() === requests[2])
        for request in [requests[2], requests[3]] { _ = machine.withdrawn(request, whileBeingTried: false) }
        guard case .nothing = machine.letIn() else {
            Issue.record("one is still on trial")
            return
        }
    }

    /// The one on trial is refused, so that all wait again.
    @Test func anObstacleEndsTheRelease() {
        var machine = Self.releasing(requests)
        #expect(machine.needsVerdict)
        #expect(
            machine.mustWait(requests[0], for: .busy, .makesAttempts) == .waitsAndCalls(after: .milliseconds(5)))
        #expect(machine.trialEnded(requests[0]) == true)
        #expect(machine.letsIn() == nil)
        #expect(machine.callDue() === requests[0], "it came first")
    }

    /// Another one, whose attempt was under way before the waiting, is refused while the one on trial is undecided.
    @Test func whoIsOnTrialStaysSoThroughAnotherWaiting() {
        var machine = Self.releasing(requests)
        #expect(machine.mustWait(Request(), for: .busy, .waits) == .waits)
        #expect(machine.released() == .letIn)
        #expect(machine.letsIn() == nil, "the first is undecided")
        #expect(machine.trialEnded(requests[0]) == true)
        #expect(machine.letsIn() === requests[1])
    }
}

extension ConnectorStateMachine {
    fileprivate var isOpen: Bool { if case .open = phase { true } else { false } }

    fileprivate var obstacle: Connector.Obstacle? {
        if case .waiting(let obstacle, _) = phase { obstacle } else { nil }
    }

    /// Who is let in now; nil where nobody is.
    fileprivate mutating func letsIn() -> Request? {
        if case .attempt(let request) = letIn() { request } else { nil }
    }
}

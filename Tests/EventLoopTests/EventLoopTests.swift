import EventLoop
import Glibc
import Synchronization
import TestSupport
import Testing

@Suite struct EventLoopTests {
    @Test func timersFireInTheOrderOfTheirDelays() throws {
        let loop = try EventLoop()
        var fired: [String] = []
        let late = try Timer(on: loop) {
            fired.append("late")
            loop.stop()
        }
        let early = try Timer(on: loop) { fired.append("early") }
        let cancelled = try Timer(on: loop) { fired.append("cancelled") }
        late.schedule(after: .milliseconds(20))
        early.schedule(after: .milliseconds(1))
        cancelled.schedule(after: .milliseconds(5))
        #expect(cancelled.isScheduled)
        cancelled.cancel()
        #expect(!cancelled.isScheduled)
        loop.run()
        #expect(fired == ["early", "late"])
    }

    @Test func aTimerMayDropItselfWhileItRuns() throws {
        let loop = try EventLoop()
        var timer: Timer?
        var fired = 0
        timer = try Timer(on: loop) {
            fired += 1
            timer = nil
        }
        timer?.schedule(after: .zero)
        #expect(try loop.run(until: { fired == 1 }))
        #expect(timer == nil)
    }

    @Test func workForTheNextTurnLetsDescriptorsGoFirst() throws {
        let loop = try EventLoop()
        let wakeUp = try Mailbox<Void>()
        var turns = 0
        var heard = false
        let event = try wakeUp.open(on: loop) { _ in heard = true }
        func another() {
            turns += 1
            if turns == 1 { wakeUp.post(()) }
            if !heard, turns < 1000 { loop.onNextTurn(another) }
        }
        loop.onNextTurn(another)
        #expect(try loop.run(until: { heard }))
        // Work that asks for another turn again and again did not keep the loop from its descriptors.
        #expect(turns < 1000)
        withExtendedLifetime(event) {}
    }

    @Test func aMailboxKeepsTheOrderOfEverySender() throws {
        let loop = try EventLoop()
        let mailbox = try Mailbox<(sender: Int, number: Int)>()
        let (senders, messages) = (4, 5000)
        var last = [Int](repeating: -1, count: senders)
        var isInOrder = true
        var received = 0
        // Posted before it is opened: kept.
        mailbox.post((0, 0))
        let event = try mailbox.open(on: loop) { message in
            if message.number != last[message.sender] + 1 { isInOrder = false }
            last[message.sender] = message.number
            received += 1
        }
        for sender in 0..<senders {
            try Thread.start(named: "sender-\(sender)") {
                for number in (sender == 0 ? 1 : 0)..<messages { mailbox.post((sender, number)) }
            }
        }
        #expect(try loop.run(until: { received == senders * messages }))
        #expect(isInOrder)
        withExtendedLifetime(event) {}
    }

    @Test func aSignalReachesItsHandlerOnTheLoop() throws {
        let loop = try EventLoop()
        var caught = 0
        let event = try SignalEvent(SIGUSR2, on: loop) { caught += 1 }
        kill(getpid(), SIGUSR2)
        #expect(try loop.run(until: { caught == 1 }))
        withExtendedLifetime(event) {}
    }

    @Test func anEventMayBeDroppedByItsOwnHandler() throws {
        let loop = try EventLoop()
        var pipe: [CInt] = [0, 0]
        #expect(Glibc.pipe(&pipe) == 0)
        let reader = Descriptor(owning: pipe[0])
        let writer = Descriptor(owning: pipe[1])
        var event: IOEvent?
        var calls = 0
        event = try IOEvent(reader.number, on: loop, for: .readable, trigger: .level) { _ in
            calls += 1
            event = nil
        }
        try writer.write([1])
        #expect(try loop.run(until: { event == nil }))
        loop.runOnce()
        #expect(calls == 1)
    }

    @Test func aStoppedEventIsSilentUntilItIsStartedAgain() throws {
        let loop = try EventLoop()
        var pipe: [CInt] = [0, 0]
        #expect(Glibc.pipe(&pipe) == 0)
        let reader = Descriptor(owning: pipe[0])
        let writer = Descriptor(owning: pipe[1])
        var calls = 0
        let event = try IOEvent(reader.number, on: loop, for: .readable, trigger: .level) { _ in calls += 1 }
        event.stopWatching()
        try writer.write([1])
        loop.runOnce()
        #expect(calls == 0)
        try event.startWatching()
        loop.runOnce()
        #expect(calls == 1)
    }

    @Test func watchingWhatCannotBeWatchedIsAnError() throws {
        let loop = try EventLoop()
        #expect(throws: SystemError.self) {
            _ = try IOEvent(1_000_000, on: loop, for: .readable, trigger: .level) { _ in }
        }
    }

    @Test func aHandoffIsTakenOnce() {
        let handoff = Handoff([1, 2, 3])
        #expect(handoff.take() == [1, 2, 3])
        #expect(handoff.take() == nil)
    }

    @Test func aFileThatIsTooLongIsNotReadToItsEnd() throws {
        let all = try Descriptor(reading: "/proc/self/maps").readToEnd()
        #expect(all.count > 100)
        #expect(try Descriptor(reading: "/proc/self/maps").readToEnd(limit: 10).count > 10)
        #expect(Descriptor.contents(of: "/nowhere") == nil)
        #expect(throws: SystemError("open", code: ENOENT)) { _ = try Descriptor(reading: "/nowhere").number }
    }
}

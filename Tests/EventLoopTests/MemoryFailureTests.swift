import EventLoop
import Glibc
import TestSupport
import Testing

/// libevent's NULLs become errors of whoever has asked, and what was set up once goes on working.
@Suite struct MemoryFailureTests {
    @Test func everythingThatIsMadeMayFailAlone() throws {
        let wakeUp = try Mailbox<Int>()
        let count = LibeventMemory.failingInTurn {
            do throws(SystemError) {
                let loop = try EventLoop()
                let timer = try Timer(on: loop) {}
                let call = try DeferredCall(on: loop) {}
                let event = try wakeUp.open(on: loop) { _ in }
                let signal = try SignalEvent(SIGURG, on: loop) {}
                timer.schedule(after: .zero)
                call.schedule()
                loop.onNextTurn {}
                for _ in 0..<5 { loop.runOnce() }
                withExtendedLifetime((event, signal)) {}
            } catch {
                #expect(error.code == ENOMEM, "\(error)")
            }
        }
        #expect(count > 10)
    }

    /// A timer that cannot be scheduled would be missing for good, and nobody would know.
    @Test func whatWasMadeCanBeScheduledWithoutMemory() throws {
        let loop = try EventLoop()
        var fired = 0
        let timers = try (0..<100).map { _ in try Timer(on: loop) { fired += 1 } }
        let call = try DeferredCall(on: loop) { fired += 1 }
        LibeventMemory.withoutAny {
            for timer in timers { timer.schedule(after: .zero) }
            call.schedule()
            loop.onNextTurn { fired += 1 }
            for _ in 0..<10 { loop.runOnce() }
        }
        #expect(fired == 102)
    }

    /// Room is given back with the timers, and taken again.
    @Test func timersComeAndGo() throws {
        let loop = try EventLoop()
        for count in [1, 50, 3, 200, 10] {
            var fired = 0
            let timers = try (0..<count).map { _ in try Timer(on: loop) { fired += 1 } }
            LibeventMemory.withoutAny {
                for timer in timers { timer.schedule(after: .zero) }
                loop.runOnce()
                loop.runOnce()
            }
            #expect(fired == count)
        }
    }

    @Test func aDescriptorThatCannotBeWatchedCanBeLater() throws {
        let loop = try EventLoop()
        let mailbox = try Mailbox<Int>()
        var received: [Int] = []
        var failures = 0
        var event: IOEvent?
        let count = try LibeventMemory.failingInTurn {
            event = nil
            do throws(SystemError) {
                event = try mailbox.open(on: loop) { received.append($0) }
            } catch {
                failures += 1
                #expect(error.code == ENOMEM)
                event = try LibeventMemory.restored { try mailbox.open(on: loop) { received.append($0) } }
            }
            mailbox.post(1)
            loop.runOnce()
            withExtendedLifetime(event) {}
        }
        #expect(failures == count && count > 0)
        #expect(received.count == count + 1)
    }

    #if DEBUG
        @Test func aDescriptorThatIsClosedTooEarlyEndsADebugBuild() async {
            await #expect(processExitsWith: .failure) {
                let loop = try EventLoop()
                var ends: [CInt] = [0, 0]
                guard pipe(&ends) == 0 else { return }
                let event = try IOEvent(ends[0], on: loop, for: .readable, trigger: .level) { _ in }
                close(ends[0])
                event.stopWatching()
            }
            await #expect(processExitsWith: .failure) {
                let loop = try EventLoop()
                var ends: [CInt] = [0, 0]
                guard pipe(&ends) == 0 else { return }
                let forgotten = try IOEvent(ends[0], on: loop, for: .readable, trigger: .level) { _ in }
                close(ends[0])
                // Gets the number.
                guard dup(ends[1]) == ends[0] else { return }
                let stranger = try IOEvent(ends[0], on: loop, for: .readable, trigger: .level) { _ in }
                withExtendedLifetime((forgotten, stranger)) {}
            }
        }
    #endif
}

import EventLoop
import Glibc
import Testing

#if DEBUG
    /// A loop, and what is registered on it, is used on its own thread alone. Debug builds see to that.
    @Suite struct OwnThreadTests {
        @Test func theThreadThatMadeALoopOwnsItUntilAnotherOneRunsIt() throws {
            let loop = try EventLoop()
            loop.assertIsOwnThread()
            nonisolated(unsafe) let shared = loop
            onAnotherThread {
                shared.runOnce()
                shared.onNextTurn {}
                shared.runOnce()
            }
            shared.runOnce()
            shared.assertIsOwnThread()
        }

        @Test func aLoopThatIsUsedOnAnotherThreadEndsADebugBuild() async {
            await #expect(processExitsWith: .failure) {
                nonisolated(unsafe) let loop = try EventLoop()
                onAnotherThread { loop.onNextTurn {} }
            }
            await #expect(processExitsWith: .failure) {
                nonisolated(unsafe) let loop = try EventLoop()
                onAnotherThread { loop.stop() }
            }
        }

        @Test func aTimerThatIsUsedOnAnotherThreadEndsADebugBuild() async {
            await #expect(processExitsWith: .failure) {
                nonisolated(unsafe) let timer = try Timer(on: EventLoop()) {}
                onAnotherThread { timer.schedule(after: .zero) }
            }
            await #expect(processExitsWith: .failure) {
                nonisolated(unsafe) let deadline = try Deadline(on: EventLoop()) { _ in }
                onAnotherThread { deadline.cancel() }
            }
            await #expect(processExitsWith: .failure) {
                nonisolated(unsafe) let loop = try EventLoop()
                onAnotherThread { _ = try? Timer(on: loop) {} }
            }
        }

        @Test func aCallThatIsDeferredOnAnotherThreadEndsADebugBuild() async {
            await #expect(processExitsWith: .failure) {
                nonisolated(unsafe) let call = try DeferredCall(on: EventLoop()) {}
                onAnotherThread { call.schedule() }
            }
        }

        @Test func aDescriptorThatIsWatchedOnAnotherThreadEndsADebugBuild() async {
            await #expect(processExitsWith: .failure) {
                nonisolated(unsafe) let loop = try EventLoop()
                let mailbox = try Mailbox<Int>()
                onAnotherThread { _ = try? mailbox.open(on: loop) { _ in } }
            }
        }

        /// The last one to let go of it is on the wrong thread.
        @Test func anEventThatEndsOnAnotherThreadEndsADebugBuild() async {
            await #expect(processExitsWith: .failure) {
                nonisolated(unsafe) var timer: Timer? = try Timer(on: EventLoop()) {}
                #expect(timer != nil)
                onAnotherThread { timer = nil }
            }
        }
    }

    /// Runs `body` on a thread of its own, and waits for it.
    private func onAnotherThread(_ body: @escaping @Sendable () -> Void) {
        guard let end = try? End() else { return }
        try? Thread.start(named: "stranger") {
            body()
            end.wakeUp.send()
        }
        end.wakeUp.wait()
    }

    private final class End: Sendable {
        let wakeUp: WakeUp
        init() throws(SystemError) { wakeUp = try WakeUp() }
    }
#endif

internal import CLibevent
internal import CLinux
internal import Glibc

/// One event loop: it waits for descriptors, timers and signals, and calls their handlers, one at a time,
/// on the thread that called ``run()``.
///
/// A loop and everything registered on it belong to one thread. What other threads have to say comes in
/// through a ``Mailbox``; nothing else of a loop may be touched from outside of its thread.
///
/// ```swift
/// let loop = try EventLoop()
/// let tick = try Timer(on: loop) { print("a second later"); loop.stop() }
/// tick.schedule(after: .seconds(1))
/// loop.run()
/// ```
public final class EventLoop {
    /// The libevent base. It is freed with the loop, after every event on it: each event retains its loop.
    let base: OpaquePointer

    private var nextTurn: [() -> Void] = []
    /// Since when the loop has listened without a break that a ``Deadline`` has met.
    var resumed = MonotonicTime(nanoseconds: 0)
    private var nextTurnEvent: OpaquePointer?

    /// Makes a loop that the calling thread may run.
    /// - Throws: ``SystemError`` when the process is out of memory or descriptors.
    public init() throws(SystemError) {
        guard let configuration = event_config_new() else { throw SystemError("event_config_new", code: ENOMEM) }
        defer { event_config_free(configuration) }
        // No locks: a loop has one thread, and Mailbox does what crosses threads.
        event_config_set_flag(configuration, Int32(EVENT_BASE_FLAG_NOLOCK.rawValue))
        event_config_require_features(configuration, Int32(EV_FEATURE_ET.rawValue | EV_FEATURE_EARLY_CLOSE.rawValue))
        guard let base = event_base_new_with_config(configuration) else { throw SystemError("event_base_new") }
        self.base = base
    }

    deinit {
        if let nextTurnEvent { event_free(nextTurnEvent) }
        event_base_free(base)
    }

    /// Calls handlers until ``stop()``, or until nothing is registered any more.
    public func run() {
        event_base_loop(base, 0)
    }

    /// Calls the handlers of what is ready now, and returns without waiting.
    public func runOnce() {
        event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK)
    }

    /// Makes ``run()`` return once the handler that is running now has returned.
    public func stop() {
        event_base_loopbreak(base)
    }

    /// Calls `work` in the loop's next turn, after everything that was ready by then has had its own.
    ///
    /// This is how a handler with much to do lets the others go first: work that asks for another turn
    /// again and again never keeps the loop from looking at its descriptors.
    public func onNextTurn(_ work: @escaping () -> Void) {
        nextTurn.append(work)
        guard nextTurn.count == 1 else { return }
        if nextTurnEvent == nil {
            nextTurnEvent = event_new(
                base, -1, 0,
                { _, _, context in
                    guard let context else { return }
                    Unmanaged<EventLoop>.fromOpaque(context).takeUnretainedValue().takeNextTurn()
                },
                Unmanaged.passUnretained(self).toOpaque())
        }
        // A timeout of zero runs after the next look at the descriptors; event_active() would run before it.
        var immediately = timeval(tv_sec: 0, tv_usec: 0)
        event_add(nextTurnEvent, &immediately)
    }

    private func takeNextTurn() {
        let work = nextTurn
        nextTurn = []
        for item in work { item() }
    }
}

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
    /// The moment since which the loop has listened without a break that a ``Deadline`` has met.
    var resumed = MonotonicTime(nanoseconds: 0)
    private var nextTurnEvent: OpaquePointer?
    /// The number of timers, and the number that libevent's heap has room for at the same time.
    private var timers = 0
    private var timerRoom = 0
    /// The thread that the loop belongs to: the one that made it, until another one runs it.
    private var thread = pthread_self()

    /// Makes a loop that the calling thread may run.
    /// - Throws: ``SystemError`` when the process is out of memory or descriptors.
    public init() throws(SystemError) {
        guard let configuration = event_config_new() else { throw SystemError("event_config_new", code: ENOMEM) }
        defer { event_config_free(configuration) }
        // No locks: a loop has one thread, and Mailbox does what crosses threads.
        event_config_set_flag(configuration, Int32(EVENT_BASE_FLAG_NOLOCK.rawValue))
        event_config_require_features(configuration, Int32(EV_FEATURE_ET.rawValue | EV_FEATURE_EARLY_CLOSE.rawValue))
        errno = 0
        guard let base = event_base_new_with_config(configuration) else {
            throw SystemError("event_base_new", code: errno == 0 ? ENOMEM : errno)
        }
        self.base = base
        nextTurnEvent = event_new(
            base, -1, 0,
            { _, _, context in
                guard let context else { return }
                Unmanaged<EventLoop>.fromOpaque(context).takeUnretainedValue().takeNextTurn()
            },
            Unmanaged.passUnretained(self).toOpaque())
        guard nextTurnEvent != nil else { throw SystemError("event_new", code: ENOMEM) }
        try takeTimerPlace()
    }

    deinit {
        if let nextTurnEvent { event_free(nextTurnEvent) }
        event_base_free(base)
    }

    /// Ends a debug build that uses the loop, or what is registered on it, on a thread that is not its own. A release build
    /// checks nothing.
    @inlinable
    public func assertIsOwnThread(file: StaticString = #fileID, line: UInt = #line) {
        assert(isOwnThread, "the loop belongs to another thread", file: file, line: line)
    }

    @usableFromInline
    var isOwnThread: Bool { pthread_equal(thread, pthread_self()) != 0 }

    /// Calls handlers until ``stop()``, or until nothing is registered any more.
    public func run() {
        thread = pthread_self()
        // Fails where epoll_wait(2) does. A loop that ended of it would leave everything that is registered without a word.
        while event_base_loop(base, 0) < 0, event_base_got_break(base) == 0 { usleep(Self.pauseAfterFailure) }
    }

    /// In microseconds.
    private static let pauseAfterFailure: UInt32 = 10_000

    /// Calls the handlers of what is ready now, and returns without waiting.
    public func runOnce() {
        thread = pthread_self()
        event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK)
    }

    /// Makes ``run()`` return once the handler that is running now has returned.
    public func stop() {
        assertIsOwnThread()
        event_base_loopbreak(base)
    }

    /// Calls `work` in the loop's next turn, after everything that was ready by then has had its own.
    ///
    /// This is how a handler with much to do lets the others go first: work that asks for another turn
    /// again and again never keeps the loop from looking at its descriptors.
    public func onNextTurn(_ work: @escaping () -> Void) {
        assertIsOwnThread()
        nextTurn.append(work)
        guard nextTurn.count == 1 else { return }
        // A timeout of zero runs after the next look at the descriptors; event_active() would run before it.
        var immediately = timeval(tv_sec: 0, tv_usec: 0)
        event_add(nextTurnEvent, &immediately)
    }

    private func takeNextTurn() {
        let work = nextTurn
        nextTurn = []
        for item in work { item() }
    }

    // MARK: Room for timers

    /// Makes sure that one more timer can be scheduled at any time: libevent needs memory when a heap of timeouts grows, and a
    /// timer that is silently not scheduled would be missing for good.
    /// - Throws: ``SystemError`` when there is no memory.
    func takeTimerPlace() throws(SystemError) {
        assertIsOwnThread()
        if timers == timerRoom { try makeRoom(forTimers: max(16, 2 * timerRoom)) }
        timers += 1
    }

    func giveBackTimerPlace() {
        assertIsOwnThread()
        timers -= 1
    }

    /// The heap grows with what is scheduled at the same time, and never shrinks.
    private func makeRoom(forTimers count: Int) throws(SystemError) {
        var events: [OpaquePointer] = []
        defer { for event in events { event_free(event) } }
        var later = timeval(tv_sec: 3600, tv_usec: 0)
        for _ in 0..<count {
            guard let event = event_new(base, -1, 0, { _, _, _ in }, nil) else {
                throw SystemError("event_new", code: ENOMEM)
            }
            events.append(event)
            guard event_add(event, &later) == 0 else { throw SystemError("event_add", code: ENOMEM) }
        }
        timerRoom = count
    }
}

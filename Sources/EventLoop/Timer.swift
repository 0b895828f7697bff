internal import CLibevent
internal import Glibc

/// Calls its handler once, some time after it was scheduled.
public final class Timer {
    private let loop: EventLoop
    private let handler: () -> Void
    private var event: OpaquePointer?

    /// Makes a timer that is not scheduled yet.
    /// - Parameter handler: called on the loop's thread; retained for as long as the timer lives.
    /// - Throws: ``SystemError`` when there is no memory for it.
    public init(on loop: EventLoop, handler: @escaping () -> Void) throws(SystemError) {
        self.loop = loop
        self.handler = handler
        try loop.takeTimerPlace()
        event = event_new(
            loop.base, -1, 0,
            { _, _, context in
                guard let context else { return }
                Unmanaged<Timer>.fromOpaque(context).takeUnretainedValue().handler()
            },
            Unmanaged.passUnretained(self).toOpaque())
        guard event != nil else {
            loop.giveBackTimerPlace()
            throw SystemError("event_new", code: ENOMEM)
        }
    }

    deinit {
        guard let event else { return }
        loop.assertIsOwnThread()
        event_free(event)
        loop.giveBackTimerPlace()
    }

    /// Whether the handler is still to be called.
    public var isScheduled: Bool { event_pending(event, Int16(EV_TIMEOUT), nil) != 0 }

    /// Calls the handler once `delay` has passed, in place of any earlier schedule.
    public func schedule(after delay: Duration) {
        loop.assertIsOwnThread()
        let (seconds, attoseconds) = delay.components
        var interval = timeval(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
        if delay < .zero { interval = timeval(tv_sec: 0, tv_usec: 0) }
        event_add(event, &interval)
    }

    /// Forgets the schedule, if there is one.
    public func cancel() {
        loop.assertIsOwnThread()
        event_del(event)
    }
}

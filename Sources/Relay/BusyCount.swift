internal import EventLoop

/// The number of relays that have been busy lately: in this interval or, where that were more, in the one before.
struct BusyCount {
    /// In nanoseconds.
    private let interval: Int64
    private var start = MonotonicTime.coarse
    private var now = 0
    private var before = 0

    /// - Parameter interval: how long an interval is at least; zero for one tick of the coarse clock.
    init(interval: Duration) {
        self.interval = Int64(interval / .nanoseconds(1))
    }

    var count: Int { max(now, before) }

    /// Notes that a relay has moved something, much or little.
    /// - Parameter last: when it had done so before.
    mutating func note(_ isBusy: Bool, at time: MonotonicTime, last: MonotonicTime) {
        if time > start, time.nanoseconds - start.nanoseconds >= interval {
            start = time
            before = now
            now = 0
        }
        if isBusy, last < start { now += 1 }
    }
}

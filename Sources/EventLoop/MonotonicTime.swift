internal import Glibc

/// A reading of the clock that only goes forward, in nanoseconds (clock_gettime(2), CLOCK_MONOTONIC).
public struct MonotonicTime: Comparable, Sendable {
    /// Nanoseconds since some fixed moment, the machine's start.
    public let nanoseconds: Int64

    init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    init(_ clock: clockid_t) {
        var reading = timespec()
        clock_gettime(clock, &reading)
        nanoseconds = Int64(reading.tv_sec) * 1_000_000_000 + Int64(reading.tv_nsec)
    }

    /// The present time to the nanosecond.
    public static var now: MonotonicTime { MonotonicTime(CLOCK_MONOTONIC) }

    /// The present time to the kernel's last tick, at most 10 ms ago: several times cheaper than ``now``.
    public static var coarse: MonotonicTime { MonotonicTime(CLOCK_MONOTONIC_COARSE) }

    public static func < (left: MonotonicTime, right: MonotonicTime) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// The moment so much later, which must be less than a hundred years.
    public func advanced(by duration: Duration) -> MonotonicTime {
        MonotonicTime(nanoseconds: nanoseconds + Int64(duration / .nanoseconds(1)))
    }

    /// The time from `earlier` to this reading; negative if it was later.
    public func since(_ earlier: MonotonicTime) -> Duration {
        .nanoseconds(nanoseconds - earlier.nanoseconds)
    }
}

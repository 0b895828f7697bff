import Glibc

/// Waiting for conditions, with a limit.
enum Wait {
    /// Looks again and again whether `condition` holds: at first after 0.2 ms, so that short waits stay short, and at
    /// last every 5 ms, so that looking takes nothing from what is measured.
    /// - Throws: what `condition` throws, or a failure that says `what` did not happen in `seconds`.
    static func until(_ what: String, seconds: Double, _ condition: () throws -> Bool) throws {
        let end = now + seconds
        var pause = 200.0
        while try !condition() {
            guard now < end else { throw Failure("not in \(seconds) s: \(what)") }
            usleep(UInt32(pause))
            pause = min(pause * 1.2, 5000)
        }
    }

    /// Seconds of the monotonic clock.
    static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

import Glibc

/// Waiting for conditions, with a limit.
enum Wait {
    /// Looks every half millisecond whether `condition` holds.
    /// - Throws: what `condition` throws, or a failure that says `what` did not happen in `seconds`.
    static func until(_ what: String, seconds: Double, _ condition: () throws -> Bool) throws {
        let end = now + seconds
        while try !condition() {
            guard now < end else { throw Failure("not in \(seconds) s: \(what)") }
            usleep(500)
        }
    }

    /// Seconds of the monotonic clock.
    static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

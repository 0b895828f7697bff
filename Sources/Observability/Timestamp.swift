internal import Glibc

/// A moment of the calendar in UTC, to the millisecond.
struct Timestamp: CustomStringConvertible {
    private let seconds: Int
    private let milliseconds: Int

    /// The present moment.
    static var now: Timestamp {
        var reading = timespec()
        clock_gettime(CLOCK_REALTIME, &reading)
        return Timestamp(secondsSince1970: reading.tv_sec, milliseconds: reading.tv_nsec / 1_000_000)
    }

    init(secondsSince1970 seconds: Int, milliseconds: Int) {
        self.seconds = seconds
        self.milliseconds = milliseconds
    }

    /// As RFC 3339 writes it: `2026-11-21T09:07:15.042Z`.
    var description: String {
        var moment = seconds
        var date = tm()
        gmtime_r(&moment, &date)
        return padded(Int(date.tm_year) + 1900, 4) + "-" + padded(Int(date.tm_mon) + 1, 2) + "-"
            + padded(Int(date.tm_mday), 2) + "T" + padded(Int(date.tm_hour), 2) + ":" + padded(Int(date.tm_min), 2)
            + ":" + padded(Int(date.tm_sec), 2) + "." + padded(milliseconds, 3) + "Z"
    }

    private func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

internal import Glibc

/// A moment of the calendar in UTC, to the millisecond.
public struct Timestamp: Sendable, Hashable, CustomStringConvertible {
    private let seconds: Int
    private let milliseconds: Int

    /// The present moment.
    public static var now: Timestamp {
        var reading = timespec()
        clock_gettime(CLOCK_REALTIME, &reading)
        return Timestamp(secondsSince1970: reading.tv_sec, milliseconds: reading.tv_nsec / 1_000_000)
    }

    public init(secondsSince1970 seconds: Int, milliseconds: Int) {
        self.seconds = seconds
        self.milliseconds = milliseconds
    }

    /// The moment so much earlier, to the millisecond.
    public func earlier(by duration: Duration) -> Timestamp {
        let total = seconds * 1000 + milliseconds - Int(duration / .milliseconds(1))
        let second = total >= 0 ? total / 1000 : (total - 999) / 1000
        return Timestamp(secondsSince1970: second, milliseconds: total - second * 1000)
    }

    /// Seconds since the beginning of 1970 (POSIX time).
    public var secondsSince1970: Double { Double(seconds) + Double(milliseconds) / 1000 }

    /// The time as RFC 3339 writes it: `2026-11-21T09:07:15.042Z`.
    public var description: String {
        var bytes: [UInt8] = []
        write(.rfc3339, into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The format of a moment.
    public enum Style: Sendable {
        /// `2026-11-21T09:07:15.042Z`
        case rfc3339
        /// The format of web servers' logs: `21/Nov/2026:09:07:15 +0000`.
        case commonLog
        /// The format of HTTP's Date field (RFC 9110 section 5.6.7): `Sat, 21 Nov 2026 09:07:15 GMT`.
        case http
    }

    /// Adds the moment to a text in ASCII, without allocating anything else.
    public func write(_ style: Style, into text: inout [UInt8]) {
        var moment = seconds
        var date = tm()
        gmtime_r(&moment, &date)
        let (year, month, day) = (Int(date.tm_year) + 1900, Int(date.tm_mon), Int(date.tm_mday))
        switch style {
        case .rfc3339:
            text.append(year, digits: 4)
            text.append("-")
            text.append(month + 1, digits: 2)
            text.append("-")
            text.append(day, digits: 2)
            text.append("T")
            Self.append(timeOf: date, to: &text)
            text.append(".")
            text.append(milliseconds, digits: 3)
            text.append("Z")
        case .commonLog:
            text.append(day, digits: 2)
            text.append("/")
            text.append(Self.months[month])
            text.append("/")
            text.append(year, digits: 4)
            text.append(":")
            Self.append(timeOf: date, to: &text)
            text.append(" +0000")
        case .http:
            text.append(Self.weekdays[Int(date.tm_wday)])
            text.append(", ")
            text.append(day, digits: 2)
            text.append(" ")
            text.append(Self.months[month])
            text.append(" ")
            text.append(year, digits: 4)
            text.append(" ")
            Self.append(timeOf: date, to: &text)
            text.append(" GMT")
        }
    }

    private static func append(timeOf date: tm, to text: inout [UInt8]) {
        text.append(Int(date.tm_hour), digits: 2)
        text.append(":")
        text.append(Int(date.tm_min), digits: 2)
        text.append(":")
        text.append(Int(date.tm_sec), digits: 2)
    }

    private static let months: [String] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    private static let weekdays: [String] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
}

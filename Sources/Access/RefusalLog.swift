package import EventLoop

/// Says in the log who is turned away, in one line a minute for each reason: a flood of strangers is to cost next to nothing.
/// The metrics have each one.
///
/// Belongs to its worker's thread.
package struct RefusalLog {
    /// For how long nothing more is said.
    static let period = Duration.seconds(60)

    private struct Count {
        var lastLine: MonotonicTime
        var since = 0
    }

    private var counts: [ClientRefusal: Count] = [:]

    package init() {}

    /// Notes that a client was turned away.
    /// - Returns: for how many clients a line is to stand, this one and those since the last line; nil where none is due.
    package mutating func note(_ refusal: ClientRefusal, at now: MonotonicTime) -> Int? {
        guard var count = counts[refusal] else {
            counts[refusal] = Count(lastLine: now)
            return 1
        }
        count.since += 1
        defer { counts[refusal] = count }
        guard now.since(count.lastLine) >= Self.period else { return nil }
        defer { count = Count(lastLine: now) }
        return count.since
    }
}

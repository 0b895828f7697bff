package import EventLoop

/// Decides when the log tells of clients that are turned away: one line a minute for each reason, so that a flood of strangers costs
/// next to nothing. The metrics count each of them.
///
/// Belongs to its worker's thread.
package struct RefusalLog {
    /// The time after a line without another one for the same reason.
    static let period = Duration.seconds(60)

    private struct Count {
        var lastLine: MonotonicTime
        var since = 0
    }

    private var counts: [ClientRefusal: Count] = [:]

    package init() {}

    /// Notes that a client was turned away.
    /// - Returns: the number of clients that a line stands for now, those since the last line among them; nil where no line is due.
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

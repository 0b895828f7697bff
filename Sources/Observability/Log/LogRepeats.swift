internal import EventLoop

/// Leaves out of the log what it has just said: the same thing said for the sixth time within a minute is only counted, and
/// a minute after the first time one line says how often that was. Said without end, it gets that one line a minute.
///
/// The same thing is the same sentence at the same level about the same part and route; other fields do not count. What is
/// said less often is never touched. Takes at most 1 MiB, whatever is said: of too many different things the one that was
/// noticed first is forgotten, and what is very long is not looked at.
struct LogRepeats {
    /// The number of times a thing is said before it is only counted.
    static let most = 5
    /// The time for which it is counted until it is summed up.
    static let period = Duration.seconds(60)
    /// The most things that are remembered.
    static let capacity = 256
    /// The longest line that is looked at, in bytes of text.
    static let longest = 4096

    /// By what a thing is recognised.
    struct Thing: Hashable {
        let level: LogLevel
        let part: LogPart
        let message: String
        let route: String?

        init(_ line: LogLine) {
            level = line.level
            part = line.part
            message = line.message
            route = line.route
        }
    }

    private struct Count {
        /// The beginning of the period.
        var start: MonotonicTime
        var said: Int
        var leftOut = 0
        /// The latest line.
        var latest: LogLine

        var end: MonotonicTime { start.advanced(by: LogRepeats.period) }

        /// Makes the line that sums up those that were left out, and begins the next period, in which nothing is said.
        mutating func summary(at now: MonotonicTime) -> LogLine {
            var line = latest
            line.time = .now
            line.repeats = LogLine.Repeats(
                count: leftOut, seconds: max(1, Int((now.since(start) / .seconds(1)).rounded())))
            self = Count(start: now, said: LogRepeats.most, latest: latest)
            return line
        }
    }

    /// The verdict on a line.
    struct Verdict {
        var isWorthSaying: Bool
        /// A line to be written before it.
        var summaries: [LogLine] = []
        /// The time to call ``LogRepeats/sumUp(at:)``, if earlier than the last one.
        var alarm: MonotonicTime?
    }

    private var counts: [Thing: Count] = [:]
    private var alarm: MonotonicTime?

    /// The number of things that are remembered now.
    var size: Int { counts.count }

    /// Decides about a line that somebody wants to say.
    mutating func hear(_ line: LogLine, at now: MonotonicTime) -> Verdict {
        guard line.size <= Self.longest else { return Verdict(isWorthSaying: true) }
        let thing = Thing(line)
        var verdict = Verdict(isWorthSaying: true)
        guard var count = counts[thing] else {
            if counts.count >= Self.capacity { verdict.summaries = makeRoom(at: now) }
            counts[thing] = Count(start: now, said: 1, latest: line)
            return verdict
        }
        if now >= count.end {
            if count.leftOut == 0 {
                count = Count(start: now, said: 0, latest: line)
            } else {
                verdict.summaries.append(count.summary(at: now))
            }
        }
        count.latest = line
        if count.said < Self.most {
            count.said += 1
        } else {
            verdict.isWorthSaying = false
            count.leftOut += 1
            if alarm.map({ count.end < $0 }) ?? true {
                alarm = count.end
                verdict.alarm = count.end
            }
        }
        counts[thing] = count
        return verdict
    }

    /// Sums up what was left out in periods that are over, and forgets what was not said lately.
    /// - Returns: the lines to say, and when to call this again; nil for not before the next verdict asks for it.
    mutating func sumUp(at now: MonotonicTime) -> (summaries: [LogLine], alarm: MonotonicTime?) {
        var summaries: [LogLine] = []
        for (thing, count) in counts where now >= count.end {
            if count.leftOut == 0 {
                counts[thing] = nil
            } else if let summary = counts[thing]?.summary(at: now) {
                summaries.append(summary)
            }
        }
        alarm = counts.values.lazy.filter { $0.leftOut > 0 }.map(\.end).min()
        return (summaries, alarm)
    }

    /// Sums up all that was left out: the log ends.
    mutating func finish(at now: MonotonicTime) -> [LogLine] {
        let summaries = counts.keys.compactMap { thing in
            counts[thing].flatMap { $0.leftOut > 0 ? counts[thing]?.summary(at: now) : nil }
        }
        counts = [:]
        return summaries
    }

    private mutating func makeRoom(at now: MonotonicTime) -> [LogLine] {
        var (summaries, _) = sumUp(at: now)
        guard counts.count >= Self.capacity, let oldest = counts.min(by: { $0.value.start < $1.value.start })?.key,
            var count = counts.removeValue(forKey: oldest)
        else { return summaries }
        if count.leftOut > 0 { summaries.append(count.summary(at: now)) }
        return summaries
    }
}

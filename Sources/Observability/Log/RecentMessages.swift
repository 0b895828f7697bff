/// The latest warnings and errors, each thing once, however often it was said.
struct RecentMessages {
    /// The most messages that are kept.
    static let most = 50

    private struct Entry {
        let thing: LogRepeats.Thing
        var line: LogLine
        var count = 1
    }

    /// The latest last.
    private var entries: [Entry] = []

    mutating func add(_ line: LogLine) {
        let line = line.shortened(to: LogRepeats.longest)
        let thing = LogRepeats.Thing(line)
        if let index = entries.lastIndex(where: { $0.thing == thing }) {
            var entry = entries.remove(at: index)
            entry.line = line
            entry.count += 1
            entries.append(entry)
        } else {
            if entries.count == Self.most { entries.removeFirst() }
            entries.append(Entry(thing: thing, line: line))
        }
    }

    var all: [LogMessage] {
        entries.map { entry in
            LogMessage(
                time: entry.line.time, level: entry.line.level, text: entry.line.sentence, count: entry.count)
        }
    }
}

/// A line of the log as the status page shows it.
public struct LogMessage: Sendable {
    public var time: Timestamp
    public var level: LogLevel
    /// The sentence, with its fields behind it as the text format has them.
    public var text: String
    /// The number of times it was said; more than one where repeats were left out.
    public var count: Int

    public init(time: Timestamp, level: LogLevel, text: String, count: Int = 1) {
        self.time = time
        self.level = level
        self.text = text
        self.count = count
    }
}

/// The latest warnings and errors, each thing once, however often it was said.
struct RecentMessages {
    /// How many are kept.
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

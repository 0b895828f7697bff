internal import EventLoop
internal import Synchronization

/// The common part of all ``Log``s: the writer, the levels, the format.
final class LogOutput: Sendable {
    let writer: LogWriter
    private let word: Atomic<UInt64>
    private let repeats = Guarded(LogRepeats())
    private let recent = Guarded(RecentMessages())

    init(_ levels: LogLevels, _ format: LogFormat, _ writer: LogWriter) {
        word = Atomic(LogSettingsWord(levels, format).bits)
        self.writer = writer
        // The writer's thread must not keep a log alive that nobody uses.
        writer.onDropped = { [weak self] count in self?.line(dropped: count) }
        writer.onAlarm = { [weak self] in self?.sumUp() }
    }

    var settings: LogSettingsWord {
        get { LogSettingsWord(bits: word.load(ordering: .relaxed)) }
        set { word.store(newValue.bits, ordering: .relaxed) }
    }

    var recentMessages: [LogMessage] { recent.withLock { $0.all } }

    func write(_ line: LogLine) {
        if line.level >= .warning { recent.withLock { $0.add(line) } }
        guard line.level >= settings.level(of: line.part) else { return }
        guard line.part.leavesRepeatsOut else { return writer.write(rendered(line)) }
        let verdict = repeats.withLock { $0.hear(line, at: .now) }
        for summary in verdict.summaries { writer.write(rendered(summary)) }
        if verdict.isWorthSaying { writer.write(rendered(line)) }
        if let alarm = verdict.alarm { writer.wake(at: alarm) }
    }

    func write(_ summary: RequestSummary, scratch: inout [UInt8]) {
        let settings = settings
        guard settings.level(of: .access) <= .info else { return }
        scratch.removeAll(keepingCapacity: true)
        switch settings.format {
        case .text: summary.writeCombined(at: .now, into: &scratch)
        case .json: summary.writeJSON(at: .now, into: &scratch)
        }
        writer.write(scratch)
    }

    func close() {
        for summary in repeats.withLock({ $0.finish(at: .now) }) { writer.write(rendered(summary)) }
        writer.close()
    }

    /// Says how often things were said whose time is over. Called by the writer's thread.
    private func sumUp() {
        let (summaries, alarm) = repeats.withLock { $0.sumUp(at: .now) }
        for summary in summaries { writer.write(rendered(summary)) }
        if let alarm { writer.wake(at: alarm) }
    }

    /// The line that reports dropped lines; nil where the level keeps it out.
    private func line(dropped count: UInt64) -> String? {
        guard settings.level(of: .log) <= .warning else { return nil }
        let line = LogLine(
            time: .now, level: .warning, part: .log, message: "log lines were dropped: nobody took them in time",
            fields: ["lines": .number(Int(clamping: count))])
        return rendered(line)
    }

    private func rendered(_ line: LogLine) -> String {
        line.rendered(as: settings.format)
    }
}

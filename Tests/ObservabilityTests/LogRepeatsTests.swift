import EventLoop
import Testing

@testable import Observability

@Suite struct LogRepeatsTests {
    private let start = MonotonicTime.now

    private func line(
        _ message: String, _ fields: Log.Fields = [:], level: LogLevel = .warning, part: LogPart = .upstream
    ) -> LogLine {
        LogLine(time: .now, level: level, part: part, message: message, fields: fields)
    }

    private func later(_ seconds: Double) -> MonotonicTime { start.advanced(by: .seconds(seconds)) }

    @Test func aThingIsSaidAFewTimesAndThenCounted() throws {
        var repeats = LogRepeats()
        for number in 0..<100 {
            let verdict = repeats.hear(line("busy"), at: later(Double(number) / 10))
            #expect(verdict.isWorthSaying == (number < 5))
            #expect(verdict.summaries.isEmpty)
            // Woken once, whatever is said.
            #expect(verdict.alarm == (number == 5 ? later(60) : nil))
        }
        let (summaries, alarm) = repeats.sumUp(at: later(60))
        #expect(summaries.count == 1 && alarm == nil)
        #expect(summaries.first?.repeats?.count == 95 && summaries.first?.repeats?.seconds == 60)
        #expect(summaries.first?.message == "busy")
    }

    @Test func whatGoesOnIsOneLineAMinute() throws {
        var repeats = LogRepeats()
        var (said, counted) = (0, 0)
        var alarm: MonotonicTime?
        // Ten times a second for ten minutes.
        for tenth in 0..<6000 {
            let now = later(Double(tenth) / 10)
            if let due = alarm, due <= now {
                let result = repeats.sumUp(at: now)
                counted += result.summaries.reduce(0) { $0 + ($1.repeats?.count ?? 0) }
                said += result.summaries.count
                alarm = result.alarm
            }
            let verdict = repeats.hear(line("busy"), at: now)
            if verdict.isWorthSaying { (said, counted) = (said + 1, counted + 1) }
            alarm = verdict.alarm ?? alarm
        }
        let rest = repeats.finish(at: later(600))
        #expect(counted + rest.reduce(0) { $0 + ($1.repeats?.count ?? 0) } == 6000)
        #expect(said == 5 + 9)
        #expect(rest.count == 1)
    }

    @Test func whatStopsIsSaidAgainInTheEnd() {
        var repeats = LogRepeats()
        for _ in 0..<10 { _ = repeats.hear(line("busy"), at: start) }
        #expect(repeats.sumUp(at: later(60)).summaries.count == 1)
        let early = repeats.hear(line("busy"), at: later(119))
        #expect(!early.isWorthSaying && early.alarm == later(120))
        #expect(repeats.sumUp(at: later(120)).summaries.first?.repeats?.count == 1)
        #expect(repeats.hear(line("busy"), at: later(180)).isWorthSaying)
    }

    @Test func anAlarmThatComesLateLosesNothing() {
        var repeats = LogRepeats()
        for _ in 0..<10 { _ = repeats.hear(line("busy"), at: start) }
        let verdict = repeats.hear(line("busy"), at: later(200))
        #expect(verdict.summaries.first?.repeats?.count == 5)
        #expect(verdict.summaries.first?.repeats?.seconds == 200)
        #expect(!verdict.isWorthSaying)
        #expect(repeats.finish(at: later(201)).first?.repeats?.count == 1)
    }

    @Test func whatIsSaidNowAndThenIsNeverTouched() {
        var repeats = LogRepeats()
        for minute in 0..<100 {
            for second in 0..<5 {
                let verdict = repeats.hear(line("now and then"), at: later(Double(60 * minute + 10 * second)))
                #expect(verdict.isWorthSaying && verdict.summaries.isEmpty && verdict.alarm == nil)
            }
        }
    }

    @Test func otherThingsAreOtherThings() {
        var repeats = LogRepeats()
        for _ in 0..<10 { _ = repeats.hear(line("busy", ["route": "web"]), at: start) }
        let others = [
            line("busy"), line("busy", ["route": "api"]), line("busy", ["route": "web"], level: .error),
            line("busy", ["route": "web"], part: .listeners), line("busy.", ["route": "web"]),
        ]
        for other in others {
            for _ in 0..<5 { #expect(repeats.hear(other, at: start).isWorthSaying) }
            #expect(!repeats.hear(other, at: start).isWorthSaying)
        }
        // What else is told of it does not make it another thing.
        #expect(!repeats.hear(line("busy", ["route": "web", "reason": "another"]), at: start).isWorthSaying)
        let summaries = repeats.finish(at: later(1))
        #expect(summaries.count == 6)
        #expect(summaries.contains { $0.repeats?.count == 6 && $0.fields.contains { $0.key == "reason" } })
    }

    @Test func aFloodOfDifferentThingsIsSaidAndTakesNoMemory() {
        var repeats = LogRepeats()
        for _ in 0..<10 { _ = repeats.hear(line("the first"), at: start) }
        var summaries: [LogLine] = []
        for number in 0..<5_000 {
            let verdict = repeats.hear(line("message \(number)"), at: later(1 + Double(number) / 10_000))
            guard verdict.isWorthSaying else {
                Issue.record("not said: \(number)")
                return
            }
            summaries += verdict.summaries
        }
        #expect(repeats.size <= LogRepeats.capacity)
        // What had to be forgotten is told of before that.
        #expect(summaries.map(\.message) == ["the first"] && summaries.first?.repeats?.count == 5)
    }

    @Test func whatIsVeryLongIsAlwaysSaid() {
        var repeats = LogRepeats()
        let long = line(String(repeating: "x", count: LogRepeats.longest), ["field": "1"])
        for _ in 0..<20 { #expect(repeats.hear(long, at: start).isWorthSaying) }
        #expect(repeats.size == 0)
    }
}

import EventLoop
import Testing

@testable import Observability

@Suite struct LogTests {
    @Test(arguments: LogLevel.allCases)
    func aLogShowsItsOwnLevelAndWhatIsMoreSevere(level: LogLevel) throws {
        let pipe = try Pipe()
        let log = Log(level: level, format: .text, writer: try LogWriter(to: pipe.takeWritingEnd()))
        log.debug("a debug line", ["n": 1])
        log.info("an info line", ["n": 2])
        log.warning("a warning line", ["n": 3])
        log.error("an error line", ["n": 4])
        log.close()
        let lines = try pipe.readToEnd().split(separator: "\n")
        let expected = LogLevel.allCases.filter { $0 >= level }
        #expect(lines.count == expected.count)
        for (line, level) in zip(lines, expected) { #expect(line.contains(" \(level.rawValue) ")) }
    }

    @Test func whatIsNotShownIsNotMade() throws {
        let pipe = try Pipe()
        let log = Log(level: .warning, format: .json, writer: try LogWriter(to: pipe.takeWritingEnd()))
        var made = 0
        func message() -> String {
            made += 1
            return "message"
        }
        log.debug(message(), ["field": .text(message())])
        log.info(message(), ["field": .text(message())])
        #expect(made == 0)
        log.close()
        #expect(try pipe.readToEnd().isEmpty)
    }

    @Test func levelAndFormatCanChange() throws {
        let pipe = try Pipe()
        let log = Log(level: .error, format: .text, writer: try LogWriter(to: pipe.takeWritingEnd()))
        log.info("not shown")
        log.follow(LogLevels(standard: .info), format: .json)
        #expect(log.level == .info && log.format == .json)
        log.info("shown")
        log.close()
        let lines = try pipe.readToEnd().split(separator: "\n")
        #expect(lines.count == 1)
        #expect(lines.first?.hasPrefix("{") == true && lines.first?.contains("\"shown\"") == true)
    }

    @Test(arguments: [(LogFormat.text, 2), (.json, 1)])
    func aReportIsSoManyLinesOfTextOrOneObject(format: LogFormat, lines: Int) throws {
        let pipe = try Pipe()
        let log = Log(level: .error, format: format, writer: try LogWriter(to: pipe.takeWritingEnd()))
        log.error(report: "first\n  second")
        log.close()
        let written = try pipe.readToEnd().split(separator: "\n")
        #expect(written.count == lines)
        #expect(written.allSatisfy { $0.contains("error") })
        #expect(written.last?.contains("  second") == true)
    }

    @Test(arguments: LogPart.allCases) func aPartCanHaveALevelOfItsOwn(part: LogPart) throws {
        let pipe = try Pipe()
        let log = Log(
            LogLevels(standard: .warning, exceptions: [part: .debug]), format: .json,
            writer: try LogWriter(to: pipe.takeWritingEnd()))
        for each in LogPart.allCases {
            #expect(log.part(each).level == (each == part ? .debug : .warning))
            log.part(each).debug("a debug line about \(each)")
        }
        log.follow(LogLevels(standard: .debug, exceptions: [part: .error]), format: .json)
        for each in LogPart.allCases {
            log.part(each).info("an info line about \(each)")
            #expect(log.part(each).level == (each == part ? .error : .debug))
        }
        log.close()
        let lines = try pipe.readToEnd().split(separator: "\n")
        #expect(lines.first?.contains("a debug line about \(part)") == true)
        #expect(lines.count == LogPart.allCases.count)
        #expect(!lines.contains { $0.contains("an info line about \(part)\"") })
        for line in lines {
            let about = LogPart.allCases.filter { line.contains("about \($0)\"") }
            #expect(about.count == 1 && line.contains("\"part\":\"\(about[0].rawValue)\""))
        }
    }

    @Test func whatIsSaidAgainAndAgainIsSummedUpAtTheEnd() throws {
        let pipe = try Pipe()
        let log = Log(level: .info, format: .text, writer: try LogWriter(to: pipe.takeWritingEnd()))
        for number in 0..<100 { log.warning("the app is busy", ["route": "web", "n": .number(number)]) }
        log.info("something else")
        for _ in 0..<100 { log.part(.access).info("closed") }
        log.close()
        let lines = try pipe.readToEnd().split(separator: "\n")
        #expect(lines.count { $0.hasSuffix("closed") } == 100)
        #expect(lines.count { $0.hasSuffix("something else") } == 1)
        let busy = lines.filter { $0.contains("the app is busy") }
        #expect(busy.count == LogRepeats.most + 1)
        #expect(busy.last?.hasSuffix("the app is busy (said 95 more times in the last 1 s) route=web n=99") == true)
    }

    @Test func theLatestWarningsAndErrorsAreAtHand() throws {
        let log = Log(level: .error, format: .text, writer: try LogWriter(to: Pipe().takeWritingEnd()))
        log.info("nobody needs to know")
        for _ in 0..<3 { log.warning("again", ["route": "web"]) }
        log.error("once", ["reason": "no space left"])
        #expect(log.recentMessages.map(\.text) == ["again route=web", "once reason=\"no space left\""])
        #expect(log.recentMessages.map(\.count) == [3, 1])
        #expect(log.recentMessages.map(\.level) == [.warning, .error])
        for number in 0..<60 { log.part(.upstream).warning("message \(number)") }
        log.warning("message 20")
        log.part(.upstream).warning("message 20")
        let messages = log.recentMessages
        #expect(messages.count == RecentMessages.most)
        #expect(messages.suffix(2).map(\.count) == [1, 2])
        #expect(messages.last?.text == "message 20")
        log.error(String(repeating: "ü", count: 100_000))
        #expect(log.recentMessages.last.map { $0.text.utf8.count < 5000 } == true)
        log.close()
    }

    @Test func theLevelsAreInTheOrderOfTheirSeverity() {
        #expect(LogLevel.allCases.sorted() == [.debug, .info, .warning, .error])
        #expect(LogLevel.debug < .info && !(LogLevel.info < .info))
    }
}

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
        log.level = .info
        log.format = .json
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

    @Test func theLevelsAreInTheOrderOfTheirSeverity() {
        #expect(LogLevel.allCases.sorted() == [.debug, .info, .warning, .error])
        #expect(LogLevel.debug < .info && !(LogLevel.info < .info))
    }
}

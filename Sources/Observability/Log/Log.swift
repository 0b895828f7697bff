internal import EventLoop

/// The program's log: one line for each thing that happened, as text for people or JSON for machines.
///
/// ```swift
/// let log = log.part(.listeners)
/// log.info("listening", ["address": "\(address)", "route": "\(route.name)"])
/// ```
/// What is said again and again is counted instead, and summed up once a minute (``LogRepeats``). Callable from every thread;
/// never waits for whoever reads the log.
public struct Log: Sendable {
    /// The value of a field.
    public enum Value: Sendable, Equatable, ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral {
        case text(String)
        case number(Int)
        /// Leaves the field out.
        case nothing

        public init(stringLiteral value: String) { self = .text(value) }
        public init(integerLiteral value: Int) { self = .number(value) }
    }

    /// Names and values, in the order in which they are written.
    public typealias Fields = KeyValuePairs<String, Value>

    private let output: LogOutput
    private let subject: LogPart

    private init(_ output: LogOutput, about subject: LogPart) {
        self.output = output
        self.subject = subject
    }

    /// A log whose lines are about ``LogPart/process``.
    public init(_ levels: LogLevels, format: LogFormat, writer: LogWriter) {
        self.init(LogOutput(levels, format, writer), about: .process)
    }

    /// Makes a log with one level for all parts.
    public init(level: LogLevel, format: LogFormat, writer: LogWriter) {
        self.init(LogLevels(standard: level), format: format, writer: writer)
    }

    /// The same log for another part.
    public func part(_ subject: LogPart) -> Log {
        Log(output, about: subject)
    }

    /// The least severe level that is written of this part.
    public var level: LogLevel { output.settings.level(of: subject) }

    /// The format of lines.
    public var format: LogFormat { output.settings.format }

    /// Changes how lines are written from now on, and which, of all parts.
    public func follow(_ levels: LogLevels, format: LogFormat) {
        output.settings = LogSettingsWord(levels, format)
    }

    /// Logs what matters only while something is being investigated.
    public func debug(_ message: @autoclosure () -> String, _ fields: @autoclosure () -> Fields = [:]) {
        if level <= .debug { write(.debug, message(), fields()) }
    }

    /// Logs a normal event.
    public func info(_ message: @autoclosure () -> String, _ fields: @autoclosure () -> Fields = [:]) {
        if level <= .info { write(.info, message(), fields()) }
    }

    /// Logs what somebody should know about, though the program goes on.
    public func warning(_ message: String, _ fields: Fields = [:]) {
        write(.warning, message, fields)
    }

    /// Logs what keeps the program, or a part of it, from doing its work.
    public func error(_ message: String, _ fields: Fields = [:]) {
        write(.error, message, fields)
    }

    /// An error that takes several lines to tell: as many lines of text, or one JSON object.
    public func error(report: String) {
        output.write(
            LogLine(time: .now, level: .error, part: subject, message: report, fields: [:], isReport: true))
    }

    /// A request has ended: a line of the access log, in Combined Log Format where the log is text.
    /// - Parameter scratch: where the line is put together; a caller that keeps it spares the allocation.
    public func info(_ summary: RequestSummary, scratch: inout [UInt8]) {
        output.write(summary, scratch: &scratch)
    }

    /// The number of lines lost because nobody read them in time, or at all.
    public var droppedLines: UInt64 { output.writer.droppedLines }

    /// The latest warnings and errors, repeats as one, the latest last; those too that the levels keep out of the log.
    public var recentMessages: [LogMessage] { output.recentMessages }

    /// Has everything written and ends the log.
    public func close() {
        output.close()
    }

    private func write(_ level: LogLevel, _ message: String, _ fields: Fields) {
        output.write(LogLine(time: .now, level: level, part: subject, message: message, fields: fields))
    }
}

extension Log {
    /// Takes up what the event loops have to say from now on, about ``LogPart/loop``.
    public func followLoops() {
        let log = part(.loop)
        LoopMessages.send { severity, text in
            switch severity {
            case .debug: log.debug(text)
            case .message: log.info(text)
            case .warning: log.warning(text)
            case .error: log.error(text)
            }
        }
    }
}

internal import Synchronization

/// The program's log: one line for each thing that happened, as text for people or JSON for machines.
///
/// ```swift
/// log.info("listening", ["address": "\(address)", "route": "\(route.name)"])
/// ```
/// Callable from every thread.
public final class Log: Sendable {
    /// What a field says.
    public enum Value: Sendable, ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral {
        case text(String)
        case number(Int)
        /// Leaves the field out.
        case nothing

        public init(stringLiteral value: String) { self = .text(value) }
        public init(integerLiteral value: Int) { self = .number(value) }
    }

    /// Names and values, in the order in which they are written.
    public typealias Fields = KeyValuePairs<String, Value>

    // Places in allCases.
    private let currentLevel: Atomic<Int>
    private let currentFormat: Atomic<Int>
    private let writer: LogWriter

    public init(level: LogLevel, format: LogFormat, writer: LogWriter) {
        currentLevel = Atomic(Self.place(of: level))
        currentFormat = Atomic(Self.place(of: format))
        self.writer = writer
    }

    /// The least severe level that is written.
    public var level: LogLevel {
        get { LogLevel.allCases[currentLevel.load(ordering: .relaxed)] }
        set { currentLevel.store(Self.place(of: newValue), ordering: .relaxed) }
    }

    /// How lines are written.
    public var format: LogFormat {
        get { LogFormat.allCases[currentFormat.load(ordering: .relaxed)] }
        set { currentFormat.store(Self.place(of: newValue), ordering: .relaxed) }
    }

    private static func place<Choice: CaseIterable & Equatable>(of choice: Choice) -> Int {
        Choice.allCases.enumerated().first { $0.element == choice }?.offset ?? 0
    }

    /// What only matters when something is being looked into.
    public func debug(_ message: @autoclosure () -> String, _ fields: @autoclosure () -> Fields = [:]) {
        if level <= .debug { write(.debug, message(), fields()) }
    }

    /// What happens in the normal course of things.
    public func info(_ message: @autoclosure () -> String, _ fields: @autoclosure () -> Fields = [:]) {
        if level <= .info { write(.info, message(), fields()) }
    }

    /// What somebody should know about, though the program goes on.
    public func warning(_ message: String, _ fields: Fields = [:]) {
        if level <= .warning { write(.warning, message, fields) }
    }

    /// What keeps the program, or a part of it, from doing its work.
    public func error(_ message: String, _ fields: Fields = [:]) {
        write(.error, message, fields)
    }

    /// An error that takes several lines to tell: as many lines of text, or one JSON object.
    public func error(report: String) {
        switch format {
        case .text: for line in report.split(separator: "\n") { error(String(line)) }
        case .json: error(report)
        }
    }

    /// A request has ended: a line of the access log, in Combined Log Format where the log is text.
    /// - Parameter scratch: where the line is put together; a caller that keeps it spares the allocation.
    public func info(_ summary: RequestSummary, scratch: inout [UInt8]) {
        guard level <= .info else { return }
        scratch.removeAll(keepingCapacity: true)
        switch format {
        case .text: summary.writeCombined(at: .now, into: &scratch)
        case .json: summary.writeJSON(at: .now, into: &scratch)
        }
        writer.write(scratch)
    }

    /// Has everything written and ends the log.
    public func close() {
        writer.close()
    }

    private func write(_ level: LogLevel, _ message: String, _ fields: Fields) {
        writer.write(LogLine(time: .now, level: level, message: message, fields: fields).rendered(as: format))
    }
}

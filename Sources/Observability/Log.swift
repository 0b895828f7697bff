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

    /// The least severe level that is written.
    public let level: LogLevel
    private let format: LogFormat
    private let writer: LogWriter

    public init(level: LogLevel, format: LogFormat, writer: LogWriter) {
        self.level = level
        self.format = format
        self.writer = writer
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

    /// Has everything written and ends the log.
    public func close() {
        writer.close()
    }

    private func write(_ level: LogLevel, _ message: String, _ fields: Fields) {
        writer.write(LogLine(time: .now, level: level, message: message, fields: fields).rendered(as: format))
    }
}

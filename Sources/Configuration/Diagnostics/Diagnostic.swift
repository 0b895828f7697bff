public import YAML

/// One thing that is wrong with what loopbridge was told, or surely not meant, with the place where it stands.
public struct Diagnostic: Sendable, Hashable {
    /// Whether it keeps the configuration from being used.
    public var severity: Severity
    /// The position.
    public var location: Location
    /// The fault, and what was expected.
    public var message: String
    /// Advice on how to put it right.
    public var note: Note?

    /// A diagnostic.
    public init(_ message: String, at location: Location, note: Note? = nil, severity: Severity = .error) {
        self.location = location
        self.message = message
        self.note = note
        self.severity = severity
    }

    /// The severity of a diagnostic.
    public enum Severity: String, Sendable {
        /// The configuration cannot be used.
        case error
        /// The configuration can be used, but surely does not do what was meant.
        case warning
    }

    /// A second sentence, such as where the other of two duplicates is.
    public struct Note: Sendable, Hashable, ExpressibleByStringInterpolation {
        /// The sentence.
        public var message: String
        /// The place that the note is about.
        public var location: Location?

        /// A note.
        public init(_ message: String, at location: Location? = nil) {
            self.message = message
            self.location = location
        }

        /// A note without a place.
        public init(stringLiteral message: String) {
            self.init(message)
        }
    }

    /// The place of a setting: in the file, the environment or the command line.
    public enum Location: Sendable, Hashable {
        /// In the configuration file; without a position for the file as a whole. The width is in characters.
        case file(path: String, position: YAMLPosition?, width: Int = 1)
        /// In an environment variable.
        case environment(variable: String)
        /// In a route that an environment variable gives.
        case environmentRoute(variable: String, text: String)
        /// In a command line option, named without its dashes.
        case option(name: String)
        /// In a ROUTE argument of the command line.
        case routeArgument(text: String)
        /// In the command line as a whole.
        case commandLine
    }

    /// Whether the command line is at fault (exit code 64), not the file or the environment (78).
    public var isUsageError: Bool {
        switch location {
        case .file, .environment, .environmentRoute: false
        case .option, .routeArgument, .commandLine: true
        }
    }
}

extension Diagnostic: CustomStringConvertible {
    /// Short, as for a log: `config.yaml:7:5: what is wrong`, and the note on a line of its own.
    public var description: String {
        let prefix = location.description
        let mark = severity == .error ? "" : "\(severity.rawValue): "
        let line = prefix.isEmpty ? "\(mark)\(message)" : "\(prefix): \(mark)\(message)"
        return note.map { "\(line)\n    note: \($0)" } ?? line
    }
}

extension Diagnostic.Note: CustomStringConvertible {
    /// `first at config.yaml:2:11`
    public var description: String {
        location.map { "\(message) at \($0)" } ?? message
    }
}

extension Diagnostic.Location: CustomStringConvertible {
    /// `config.yaml:7:5`, `LOOPBRIDGE_HOLD`, `--hold`, `route '8080:8000'`; empty for the whole command line.
    public var description: String {
        switch self {
        case .file(let path, let position?, _): "\(path):\(position.line):\(position.column)"
        case .file(let path, nil, _): path
        case .environment(let variable): variable
        case .environmentRoute(let variable, let text): "\(variable): route \(quoted(text))"
        case .option(let name): "--\(name)"
        case .routeArgument(let text): "route \(quoted(text))"
        case .commandLine: ""
        }
    }

    /// Orders diagnostics by source: the file from its beginning, then the environment, then the command line.
    var order: (Int, YAMLPosition) {
        let start = YAMLPosition(line: 0, column: 0)
        return switch self {
        case .file(_, let position, _): (0, position ?? start)
        case .environment, .environmentRoute: (1, start)
        case .option, .routeArgument, .commandLine: (2, start)
        }
    }
}

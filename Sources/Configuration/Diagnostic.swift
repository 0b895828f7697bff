public import YAML

/// One fault in what loopbridge was told, with the place where it stands.
public struct Diagnostic: Sendable, Hashable {
    /// Where the fault is.
    public var location: Location
    /// What is wrong, and what was expected.
    public var message: String
    /// What helps to put it right, such as where the other of two duplicates is.
    public var note: String?

    /// A diagnostic.
    public init(_ message: String, at location: Location, note: String? = nil) {
        self.location = location
        self.message = message
        self.note = note
    }

    /// Where something that loopbridge was told stands.
    public enum Location: Sendable, Hashable {
        /// In the configuration file; without a position for the file as a whole.
        case file(path: String, position: YAMLPosition?)
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
    /// As compilers write it: `config.yaml:7:5: what is wrong`, and the note on a line of its own.
    public var description: String {
        let prefix = location.description
        let line = prefix.isEmpty ? message : "\(prefix): \(message)"
        return note.map { "\(line)\n    note: \($0)" } ?? line
    }
}

extension Diagnostic.Location: CustomStringConvertible {
    /// `config.yaml:7:5`, `LOOPBRIDGE_HOLD`, `--hold`, `route '8080:8000'`; empty for the whole command line.
    public var description: String {
        switch self {
        case .file(let path, let position?): "\(path):\(position.line):\(position.column)"
        case .file(let path, nil): path
        case .environment(let variable): variable
        case .environmentRoute(let variable, let text): "\(variable): route \(quoted(text))"
        case .option(let name): "--\(name)"
        case .routeArgument(let text): "route \(quoted(text))"
        case .commandLine: ""
        }
    }

    /// What comes first is reported first: the file from its beginning, then the environment, then the command line.
    var order: (Int, YAMLPosition) {
        let start = YAMLPosition(line: 0, column: 0)
        return switch self {
        case .file(_, let position): (0, position ?? start)
        case .environment, .environmentRoute: (1, start)
        case .option, .routeArgument, .commandLine: (2, start)
        }
    }
}

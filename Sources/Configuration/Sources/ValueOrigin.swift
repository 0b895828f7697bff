/// The origin of a value: the place where it was given.
struct ValueOrigin: Sendable, Equatable {
    var location: Diagnostic.Location
    /// The environment variables that the file names there.
    var variables: [String] = []
    /// Whether a route has it from `defaults`.
    var isInherited = false

    /// The precedence of the source, 0 for a default: the higher it is, the more certainly the value was meant.
    var rank: Int {
        switch location {
        case .file: isInherited ? 1 : 2
        case .environment, .environmentRoute: 3
        case .option, .routeArgument, .commandLine: 4
        }
    }
}

extension ValueOrigin: CustomStringConvertible {
    /// `config.yaml:4:11 (defaults) ${HOLD}`, `LOOPBRIDGE_HOLD`, `--hold`
    var description: String {
        "\(location)" + (isInherited ? " (defaults)" : "") + variables.map { " ${\($0)}" }.joined()
    }
}

/// A value together with where it was given.
struct Located<Value: Sendable & Equatable>: Sendable, Equatable {
    var value: Value
    var location: Diagnostic.Location
}

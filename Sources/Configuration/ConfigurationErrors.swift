/// All the faults that were found, in the order in which they stand in their sources.
public struct ConfigurationErrors: Error, Sendable, Equatable {
    /// At least one.
    public let diagnostics: [Diagnostic]

    init(_ diagnostics: [Diagnostic]) {
        // Sorting is stable: faults of one place stay in the order in which they were found.
        self.diagnostics = diagnostics.sorted { $0.location.order < $1.location.order }
    }

    /// What the process exits with (sysexits.h): 64 when the command line alone is at fault, otherwise 78.
    public var exitCode: Int32 {
        diagnostics.allSatisfy(\.isUsageError) ? 64 : 78
    }
}

extension ConfigurationErrors: CustomStringConvertible {
    /// One diagnostic a line.
    public var description: String {
        diagnostics.map(\.description).joined(separator: "\n")
    }
}

/// All the faults that were found, in the order in which they stand in their sources.
public struct ConfigurationErrors: Error, Sendable, Equatable {
    /// At least one.
    public let diagnostics: [Diagnostic]
    /// The file that was read, to show its lines.
    private let file: ConfigurationFile?

    init(_ diagnostics: [Diagnostic], in file: ConfigurationFile? = nil) {
        self.diagnostics = diagnostics.inOrder
        self.file = file
    }

    /// The exit code (sysexits.h): 64 when the command line alone is at fault, otherwise 78.
    public var exitCode: Int32 {
        diagnostics.allSatisfy(\.isUsageError) ? 64 : 78
    }

    /// The faults as a person reads them: with the lines of the file that are at fault, and a mark under each.
    public var report: String {
        DiagnosticReport(of: diagnostics, in: file).text
    }
}

extension ConfigurationErrors: CustomStringConvertible {
    /// One diagnostic a line, as for a log.
    public var description: String {
        diagnostics.map(\.description).joined(separator: "\n")
    }
}

extension [Diagnostic] {
    /// In the order of their sources. Sorting is stable: those of one place stay in the order in which they were found.
    var inOrder: [Diagnostic] { sorted { $0.location.order < $1.location.order } }
}

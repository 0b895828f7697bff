import ArgumentParser
import Configuration
import EventLoop

/// A setting that belongs to one command: from the command line, or else from the environment.
struct CommandSetting {
    private let source: String
    private let text: String?
    private let exitCode: ExitCode

    /// - Parameters:
    ///   - name: the option's, without dashes; its variable is `LOOPBRIDGE_` and the same in capitals.
    ///   - option: what the command line says.
    init(_ name: String, _ option: String?) {
        let variable = ConfigurationOption.environmentPrefix + name.uppercased().replacing("-", with: "_")
        let value = ProcessStart.environment[variable].flatMap { $0.isEmpty ? nil : $0 }
        text = option ?? value
        source = option == nil ? variable : "--\(name)"
        exitCode = option == nil ? ExitCode(78) : ExitCode(64)
    }

    /// The value; nil where nobody gives one.
    ///
    /// Ends the program with an explanation where it is wrong: exit code 64 for the command line, 78 for the environment.
    /// - Parameters:
    ///   - expected: what a right value looks like, in words.
    ///   - parse: gives nil for a wrong one.
    func read<Value>(_ expected: String, _ parse: (String) -> Value?) throws -> Value? {
        guard let text else { return nil }
        if let value = parse(text) { return value }
        StandardError.write("loopbridge: \(source): expected \(expected), found '\(text)'")
        throw exitCode
    }
}

import Foundation

/// Short commands of the system: ip(8), and programs that are asked for their version.
enum SystemCommand {
    /// Runs a command to its end.
    /// - Throws: where it exits with something else than 0, with what it said.
    static func run(_ command: [String]) throws {
        _ = try output(command)
    }

    /// Runs a command to its end and returns what it wrote to standard output, and to standard error where that is
    /// all it wrote.
    static func output(_ command: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        let output = Pipe()
        let errors = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let complaint = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let reason = complaint.split(separator: "\n").first ?? "exited with \(process.terminationStatus)"
            throw Failure("\(command.joined(separator: " ")): \(reason)")
        }
        return text.isEmpty ? complaint : text
    }
}

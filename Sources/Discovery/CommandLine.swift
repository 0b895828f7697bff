/// The arguments that a process was started with (/proc/PID/cmdline, proc(5)), and what they say without knowledge of the
/// program.
struct CommandLine: Sendable {
    let arguments: [String]
    /// The program's names: its file's, the one that it was started with, and that of the script or module that it runs.
    let names: [String]
    /// The script, the module or the archive that an interpreter runs, as it was given.
    let script: String?
    let runtime: PrivateService.Runtime

    /// - Parameter executable: the program's file, where that can be seen.
    init(_ arguments: [String], executable: String? = nil) {
        // Some processes have overwritten it with a title, which is one text: "sshd: root@pts/0", or Chromium's options.
        let arguments =
            arguments.count == 1 ? arguments[0].split(separator: " ").map(String.init) : arguments
        self.arguments = arguments
        let file = executable.map { Self.name(of: $0.hasSuffix(" (deleted)") ? String($0.dropLast(10)) : $0) }
        let first = arguments.first.map(Self.name)
        let runtimes = [file, first].compactMap { $0.map(PrivateService.Runtime.init(program:)) }
        runtime = runtimes.first { $0 != .other } ?? .other
        let isInterpreter = runtime != .other || [file, first].contains { $0.map(Self.interpreters.contains) ?? false }
        script = isInterpreter ? Self.script(in: arguments.dropFirst()) : nil
        names = [file, first, script.map(Self.name)].compactMap { $0 }
    }

    /// Returns the last part of a path, without the colon of a title.
    private static func name(of path: String) -> String {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return name.hasSuffix(":") ? String(name.dropLast()) : name
    }

    private static let interpreters: Set = [
        "sh", "bash", "dash", "ash", "busybox", "zsh", "perl", "php", "Rscript", "dart",
    ]

    /// Options of interpreters whose value is the next argument.
    private static let withValue: Set<String> = [
        "-W", "-X", "-r", "--require", "--import", "--loader", "--env-file", "-C", "--conditions", "-I", "-cp",
        "-classpath", "--class-path", "-p", "--module-path", "--add-modules", "--add-opens",
    ]

    /// Whether an argument is a group of one-letter options, as `-um` and `-Bc` are and `-classpath` is not.
    private static func isGroup(_ argument: String, endingIn last: Character) -> Bool {
        argument.count == 3 && argument.hasPrefix("-") && argument.last == last && !argument.hasPrefix("--")
    }

    private static func script(in arguments: ArraySlice<String>) -> String? {
        var rest = arguments
        while let argument = rest.popFirst() {
            switch argument {
            case "-m", "-jar": return rest.first
            case "-c", "-e", "--eval": return nil
            // Deno's and Bun's subcommands.
            case "run", "serve": continue
            // Python's letters may stand together.
            case _ where isGroup(argument, endingIn: "m"): return rest.first
            case _ where isGroup(argument, endingIn: "c"): return nil
            case _ where withValue.contains(argument): rest = rest.dropFirst()
            case _ where argument.hasPrefix("-") || argument.hasPrefix("@"): continue
            default: return argument
            }
        }
        return nil
    }
}

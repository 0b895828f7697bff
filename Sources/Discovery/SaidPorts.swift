internal import EventLoop

/// The port numbers that a person has written down for an app: on the command line, in the environment, or in a file that
/// the command line names.
public enum SaidPorts {
    /// Reads the small text files that the command names, relative to this process's folder.
    /// - Parameters:
    ///   - command: the app's command line, as a person wrote it.
    ///   - environment: the environment that they gave, each entry `NAME=VALUE`.
    public static func read(command: [String], environment: [String]) -> Set<UInt16> {
        var files = command
        if let program = command.first?.split(separator: "/").last, packageManagers.contains(String(program)) {
            files.append("package.json")
        }
        let values = environment.compactMap {
            $0.split(separator: "=", maxSplits: 1).dropFirst().first.map(String.init)
        }
        return (command + values + files.compactMap(text)).reduce(into: []) { $0.formUnion(numbers(in: $1)) }
    }

    /// Returns the numbers that the command lines and environments of PID 1 and of this process have.
    public static func ofThisPlace() -> Set<UInt16> {
        let first = ProcessDetails(of: 1)
        let environment = first.environment.map { "\($0.key)=\($0.value)" } + ProcessStart.environmentEntries
        return read(command: [], environment: environment).union(numbers(in: first.arguments.joined(separator: " ")))
    }

    /// Programs that run the commands of a package's file.
    private static let packageManagers: Set = ["npm", "npx", "yarn", "pnpm", "bun", "deno"]

    private static let largestFile = 256 << 10

    private static func text(ofFile path: String) -> String? {
        guard let file = try? Descriptor(readingRegularFile: path),
            let bytes = try? file.readToEnd(limit: largestFile), bytes.count <= largestFile, !bytes.contains(0)
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Returns the numbers of four or five digits that stand alone in a text.
    static func numbers(in text: String) -> Set<UInt16> {
        Set(
            text.utf8.split { !isWord($0) }.compactMap { word in
                (4...5).contains(word.count) ? UInt16(String(decoding: word, as: UTF8.self)) : nil
            })
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default: false
        }
    }
}

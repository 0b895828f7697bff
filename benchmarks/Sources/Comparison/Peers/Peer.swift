import Foundation

/// What takes part in the comparison: a proxy and how it is started, or no proxy at all.
public struct Peer: Sendable {
    /// How it counts in the comparison.
    public enum Role: String, Codable, Sendable {
        /// No proxy: the client connects to the app.
        case direct
        /// The smallest relay that is still correct: what can be reached at all.
        case limit
        /// What is compared with the others.
        case ours
        /// One of the others.
        case peer
    }

    /// What `--only` and `--except` call it.
    public let name: String
    /// What the report calls it.
    public let title: String
    public let role: Role
    public let mode: Mode
    /// The command line, with placeholders; empty for `direct`.
    let command: [String]
    /// Variables that are set for it.
    let environment: [String: String]
    /// The folder with its configuration, which is copied for each start, placeholders replaced.
    let folder: URL?
    /// Its version, if it tells one.
    public let version: String?

    /// What having no proxy is called.
    static let directName = "direct"

    /// No proxy.
    public static func direct(_ mode: Mode) -> Peer {
        Peer(
            name: directName, title: directName, role: .direct, mode: mode, command: [], environment: [:], folder: nil,
            version: nil)
    }

    /// A proxy from the command line: `NAME=COMMAND`. The command is split at blanks.
    public init(argument: String, mode: Mode) throws {
        let parts = argument.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, !parts[0].isEmpty else {
            throw Failure("a proxy is NAME=COMMAND, not '\(argument)'")
        }
        let command = parts[1].split(separator: " ").map(String.init)
        for placeholder in ["{listen_port}", "{upstream_port}"] where !parts[1].contains(placeholder) {
            throw Failure("the command of \(parts[0]) does not name \(placeholder)")
        }
        self.init(
            name: String(parts[0]), title: String(parts[0]), role: .peer, mode: mode, command: command,
            environment: [:], folder: nil, version: nil)
    }

    init(
        name: String, title: String, role: Role, mode: Mode, command: [String], environment: [String: String],
        folder: URL?, version: String?
    ) {
        self.name = name
        self.title = title
        self.role = role
        self.mode = mode
        self.command = command
        self.environment = environment
        self.folder = folder
        self.version = version
    }
}

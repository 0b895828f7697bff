public import Foundation
import Glibc

/// The peers that this machine has, from the folder with their definitions.
public struct PeerCatalogue {
    /// Those that can be started, in the order of the report.
    public let peers: [Peer]
    /// A line for each that cannot, with what to do about it.
    public let missing: [String]

    /// What peers/MODE/NAME/peer.json holds.
    private struct Definition: Decodable {
        var title: String
        var role: Peer.Role?
        /// Where its program may be: names in PATH, or paths, in which `*` stands for anything. The first one counts.
        var program: [String]
        /// Other files that it cannot do without.
        var needs: [String]?
        var command: [String]
        var environment: [String: String]?
        /// The command that tells its version.
        var version: [String]?
        /// What installs it, for a person.
        var install: String
    }

    /// Reads the definitions in the folder `peers` of the benchmarks' folder.
    public init(benchmarks: URL) throws {
        var peers: [Peer] = []
        var missing: [String] = []
        for mode in Mode.allCases {
            let found = try PeerCatalogue.read(benchmarks: benchmarks, mode)
            peers += found.peers
            missing += found.missing
        }
        self.peers = peers
        self.missing = missing
    }

    /// Those of one mode.
    private static func read(benchmarks: URL, _ mode: Mode) throws -> (peers: [Peer], missing: [String]) {
        let folder = benchmarks.appending(path: "peers/\(mode.rawValue)")
        let root = Template(values: ["root": benchmarks.deletingLastPathComponent().path])
        var peers = [Peer.direct(mode)]
        var missing: [String] = []
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() {
            let file = folder.appending(path: "\(name)/peer.json")
            guard let data = try? Data(contentsOf: file) else { continue }
            let definition: Definition
            do {
                definition = try JSONDecoder().decode(Definition.self, from: data)
            } catch {
                throw Failure("\(file.path): \(error)")
            }
            let program = definition.program.lazy.compactMap { PeerCatalogue.find(root.fill($0)) }.first
            let needs = definition.needs ?? []
            guard let program, needs.allSatisfy({ access($0, F_OK) == 0 }) else {
                missing.append(
                    "\(definition.title) is left out with \(mode.title): not found here (\(definition.install))")
                continue
            }
            let template = Template(values: ["program": program])
            let version = definition.version.flatMap { command in
                // Programs repeat the path that they were called by, and it may have numbers in it.
                try? SystemCommand.output(command.map(template.fill)).replacing(program, with: "")
            }
            peers.append(
                Peer(
                    name: name, title: definition.title, role: definition.role ?? .peer, mode: mode,
                    command: definition.command.map(template.fill), environment: definition.environment ?? [:],
                    folder: file.deletingLastPathComponent(), version: version.flatMap(PeerCatalogue.version)))
        }
        let order: [Peer.Role] = [.direct, .limit, .ours, .peer]
        return (order.flatMap { role in peers.filter { $0.role == role } }, missing)
    }

    /// The path of an executable: `pattern` is a name in PATH, or a path that may have `*` in it.
    private static func find(_ pattern: String) -> String? {
        if !pattern.contains("/") {
            let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
            return folders.map { "\($0)/\(pattern)" }.first { access($0, X_OK) == 0 }
        }
        var found = glob_t()
        defer { globfree(&found) }
        guard glob(pattern, 0, nil, &found) == 0, let path = found.gl_pathv[0] else { return nil }
        let program = String(cString: path)
        return access(program, X_OK) == 0 ? program : nil
    }

    /// The first thing in a program's answer that looks like a version.
    static func version(in answer: String) -> String? {
        answer.firstMatch(of: /[0-9]+\.[0-9][0-9A-Za-z.+~-]*/).map { String($0.output) }
    }
}

import Foundation
import Testing

@testable import Proxy

/// The table in Sources/Proxy/HTTP/README.md and the machine, compared row by row. `LOOPBRIDGE_TABLE=FILE` writes the machine's
/// into a file, for the README.
@Suite struct ExchangeTableTests {
    /// What an event does in a phase: `sendPage → delivering`.
    private struct Row: Hashable, Comparable {
        let phase: String
        let event: String
        let outcomes: String

        var text: String { "| \(phase) | \(event) | \(outcomes) |" }

        static func < (left: Row, right: Row) -> Bool {
            (order(left.phase), left.event) < (order(right.phase), right.event)
        }

        private static func order(_ phase: String) -> Int { ExchangeTableTests.phases.firstIndex(of: phase) ?? 99 }
    }

    private static let phases = [
        "readingHead", "authorizing", "awaitingApp", "exchanging, awaited", "exchanging, begun", "exchanging, ready",
        "exchanging, sending", "delivering", "switched", "over",
    ]

    private static func name(_ phase: Exchange.Phase) -> String {
        switch phase {
        case .readingHead: "readingHead"
        case .authorizing: "authorizing"
        case .awaitingApp: "awaitingApp"
        case .exchanging(_, .awaited): "exchanging, awaited"
        case .exchanging(_, .begun): "exchanging, begun"
        case .exchanging(_, .ready): "exchanging, ready"
        case .exchanging(_, .sending): "exchanging, sending"
        case .delivering: "delivering"
        case .switched: "switched"
        case .over: "over"
        }
    }

    /// The name of a case, without what it carries.
    private static func name(_ value: some Any) -> String {
        String(String(describing: value).prefix { $0 != "(" })
    }

    /// Every row that the machine has; an event that changes nothing has none.
    private static func machineRows() -> [Row] {
        var outcomes: [[String]: Set<String>] = [:]
        let events = ExchangeSamples.events
        for exchange in ExchangeSamples.reachable {
            for event in events {
                var next = exchange
                let action = next.on(event)
                if action == .none, next == exchange { continue }
                let outcome = "\(name(action)) → \(name(next.phase))"
                outcomes[[name(exchange.phase), name(event)], default: []].insert(outcome)
            }
        }
        return outcomes.map { Row(phase: $0[0], event: $0[1], outcomes: $1.sorted().joined(separator: "; ")) }.sorted()
    }

    @Test func theTableInTheReadmeIsTheMachines() throws {
        let readme = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../Sources/Proxy/HTTP/README.md")
        let rows = Set(
            try String(contentsOf: readme, encoding: .utf8).split(separator: "\n")
                .filter { $0.contains("→") && $0.hasPrefix("| ") }.map { String($0) })
        let expected = Self.machineRows().map(\.text)
        if let file = ProcessInfo.processInfo.environment["LOOPBRIDGE_TABLE"] {
            try expected.joined(separator: "\n").write(toFile: file, atomically: true, encoding: .utf8)
        }
        #expect(!expected.isEmpty)
        let missing = expected.filter { !rows.contains($0) }
        let wrong = rows.subtracting(expected).sorted()
        #expect(missing.isEmpty, "not in the table:\n\(missing.joined(separator: "\n"))")
        #expect(wrong.isEmpty, "not in the machine:\n\(wrong.joined(separator: "\n"))")
    }
}

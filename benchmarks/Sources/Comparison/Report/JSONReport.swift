import Foundation

/// The report for programs: the goals, every cell of the tables, and every single measurement.
struct JSONReport: Codable {
    /// What one peer reached in one scenario in one metric.
    struct Cell: Codable {
        var topology: Topology
        var scenario: String
        var peer: String
        var metric: Metric
        var unit: String
        var spread: Spread
        /// The median as a ratio to that of no proxy.
        var toDirect: Double?
        /// The median as a ratio to that of the best peer.
        var toBestPeer: Double?
        /// With HTTP, the median as a ratio to that of the better one of HAProxy and nginx.
        var toBestRival: Double?
    }

    var goals: [Goal]
    var cells: [Cell]
    var results: Results

    init(_ results: Results) {
        goals = Goal.all(results)
        self.results = results
        cells = results.sections.flatMap { section in
            section.scenario.metrics.flatMap { metric in
                let direct = results.spread(section.topology, section.scenario, Peer.directName, metric)?.median
                let best = results.best(section.topology, section.scenario, metric)?.value
                let mode = section.scenario.mode
                let rival = mode == .http ? results.bestRival(section.topology, section.scenario, metric)?.value : nil
                return results.participants(mode).compactMap { participant in
                    results.spread(section.topology, section.scenario, participant.name, metric).map { spread in
                        Cell(
                            topology: section.topology, scenario: section.scenario.name, peer: participant.name,
                            metric: metric, unit: metric.unit, spread: spread,
                            toDirect: JSONReport.ratio(spread.median, direct),
                            toBestPeer: JSONReport.ratio(spread.median, best),
                            toBestRival: JSONReport.ratio(spread.median, rival))
                    }
                }
            }
        }
    }

    /// As JSON, keys in order, so that two reports can be compared.
    func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }

    private static func ratio(_ value: Double, _ base: Double?) -> Double? {
        base.flatMap { $0 > 0 ? value / $0 : nil }
    }
}

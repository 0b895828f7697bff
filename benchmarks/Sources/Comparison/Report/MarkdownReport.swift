/// The report as text: Markdown that can be read as it is.
struct MarkdownReport {
    let results: Results
    /// The names of the plots' files, which stand beside the report.
    let plots: [Plot]

    var text: String {
        var parts = ["# Comparison of proxies", machine, participants, goals]
        parts += plots.map { "![\($0.title)](\($0.fileName))" }
        for section in results.sections {
            parts.append("## \(section.scenario.title), \(section.topology.title)")
            parts.append(table(section.topology, section.scenario))
        }
        return parts.joined(separator: "\n\n") + "\n"
    }

    private var machine: String {
        let machine = results.machine
        let settings = results.settings
        let tools = machine.tools.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        return """
            \(machine.date) UTC; \(machine.processor), \(machine.processors) cores, \
            \(Metric.fixed(machine.memoryGiB, 0)) GiB; \(machine.system), Linux \(machine.kernel); \
            \(tools.joined(separator: ", ")).

            \(settings.rounds) round\(settings.rounds == 1 ? "" : "s") of \(settings.seconds) s a measurement. \
            Figures are medians, in brackets the least and the most. The best peer is the best in that figure, \
            without direct, the limit and loopbridge.
            """
    }

    private var participants: String {
        let lines = results.modes.map { mode in
            let versions = results.participants(mode).filter { $0.role != .direct }.map { participant in
                participant.title + (participant.version.map { " \($0)" } ?? "")
            }
            return "Compared with \(mode.title): " + versions.joined(separator: ", ") + "."
        }
        let missing = results.missing.map { "\n- \($0)" }.joined()
        return lines.joined(separator: "\n\n") + (missing.isEmpty ? "" : "\n" + missing)
    }

    private var goals: String {
        var table = MarkdownTable(["figure, across veth", "goal", "reached", "outcome"])
        for goal in Goal.all(results) {
            table.add([goal.what, goal.goal, goal.reached, goal.outcome.rawValue])
        }
        return "## Goals\n\n" + table.text
    }

    /// The rows of a scenario, the best first.
    func table(_ topology: Topology, _ scenario: Scenario) -> String {
        let participants = results.participants(scenario.mode)
        let metrics = scenario.metrics.filter { metric in
            participants.contains { results.spread(topology, scenario, $0.name, metric) != nil }
        }
        guard let main = metrics.first else { return failures(topology, scenario) }
        let direct = results.spread(topology, scenario, Peer.directName, main)
        let ratioHeadings = (scenario.mode == .http ? ["to HAProxy or nginx"] : []) + ["to best peer"]
        var table = MarkdownTable(
            ["", heading(main)] + (direct == nil ? [] : ["to direct"]) + ratioHeadings
                + metrics.dropFirst().flatMap { metric in
                    [heading(metric)] + (MarkdownReport.hasRatio(metric) ? ratioHeadings : [])
                })
        let ranked = participants.compactMap { participant in
            results.spread(topology, scenario, participant.name, main).map { (participant, $0) }
        }.sorted { main.lessIsBetter ? $0.1.median < $1.1.median : $0.1.median > $1.1.median }
        for (participant, spread) in ranked {
            var cells = [participant.title, MarkdownReport.text(spread, main)]
            if let direct { cells.append(ratio(spread, direct.median)) }
            cells += ratios(spread, topology, scenario, main)
            for metric in metrics.dropFirst() {
                let other = results.spread(topology, scenario, participant.name, metric)
                cells.append(other.map { MarkdownReport.text($0, metric) } ?? "")
                if MarkdownReport.hasRatio(metric) { cells += ratios(other, topology, scenario, metric) }
            }
            table.add(cells)
        }
        let failures = failures(topology, scenario)
        return table.text + (failures.isEmpty ? "" : "\n\n" + failures)
    }

    /// A line for each peer that failed at least once.
    private func failures(_ topology: Topology, _ scenario: Scenario) -> String {
        results.participants(scenario.mode).compactMap { participant in
            results.failure(topology, scenario, participant.name).map { "- \(participant.title) failed: \($0)" }
        }.joined(separator: "\n")
    }

    private func heading(_ metric: Metric) -> String {
        metric.title + (metric.unit.isEmpty ? "" : ", \(metric.unit)")
    }

    /// What the proxy's work costs is compared, too.
    private static func hasRatio(_ metric: Metric) -> Bool {
        metric == .cpuSecondsPerGiB || metric == .cpuMicrosecondsPerRequest || metric == .cpuMicrosecondsPerDatagram
    }

    /// The cells that compare a figure with those of others.
    private func ratios(
        _ spread: Spread?, _ topology: Topology, _ scenario: Scenario, _ metric: Metric
    ) -> [String] {
        let best = ratio(spread, results.best(topology, scenario, metric)?.value)
        guard scenario.mode == .http else { return [best] }
        return [ratio(spread, results.bestRival(topology, scenario, metric)?.value), best]
    }

    private func ratio(_ spread: Spread?, _ base: Double?) -> String {
        guard let spread, let base, base > 0 else { return "" }
        return Metric.fixed(spread.median / base, 2)
    }

    private static func text(_ spread: Spread, _ metric: Metric) -> String {
        let median = metric.format(spread.median)
        guard spread.count > 1, metric != .residentMiB else { return median }
        return "\(median) (\(metric.format(spread.least)) to \(metric.format(spread.most)))"
    }
}

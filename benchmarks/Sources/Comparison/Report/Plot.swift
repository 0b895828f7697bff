/// A picture of bars: some panels beside each other, a bar for each peer.
struct Plot {
    /// The bars of one figure in one scenario.
    struct Panel {
        var title: String
        var metric: Metric
        /// The best one first.
        var bars: [Bar]
    }

    /// A peer's bar, or why it has none.
    struct Bar {
        var participant: Results.Participant
        var spread: Spread?
    }

    var fileName: String
    var title: String
    var subtitle: String
    var panels: [Panel]

    /// All plots for which a run has figures.
    static func all(_ results: Results) -> [Plot] {
        Topology.allCases.flatMap { topology in
            groups.compactMap { group in
                let panels = group.scenarios.flatMap { scenario in
                    group.metrics.compactMap { panel(results, topology, scenario, $0, group.metrics.count > 1) }
                }
                return panels.isEmpty
                    ? nil
                    : Plot(
                        fileName: "\(group.name)-\(topology.rawValue).svg", title: "\(group.title), \(topology.title)",
                        subtitle: group.subtitle, panels: panels)
            }
        }
    }

    private struct Group {
        var name: String
        var title: String
        var subtitle: String
        var scenarios: [Scenario]
        var metrics: [Metric]
    }

    private static let bulk = Scenario.all.filter { if case .bulk = $0 { true } else { false } }

    /// The pictures that both modes have.
    private static func requestGroups(_ mode: Mode) -> [Group] {
        let scenarios: [Scenario] =
            [.requests(mode, connections: 1), .requests(mode, connections: 64), .connections(mode)]
            + (mode == .http ? [.bodies] : [])
        let prefix = mode == .http ? "http-" : ""
        let suffix = mode == .http ? ", HTTP" : ""
        return [
            Group(
                name: "\(prefix)requests", title: "Requests\(suffix)", subtitle: "requests a second, longer is better",
                scenarios: scenarios, metrics: [.requestsPerSecond]),
            Group(
                name: "\(prefix)requests-cpu", title: "The proxy's CPU time per request\(suffix)",
                subtitle: "µs, shorter is better", scenarios: scenarios, metrics: [.cpuMicrosecondsPerRequest]),
            Group(
                name: "\(prefix)calls", title: "The proxy's system calls per request\(suffix)",
                subtitle: "calls, shorter is better", scenarios: scenarios, metrics: [.callsPerRequest]),
            Group(
                name: "\(prefix)latency", title: "Latency at a fixed rate\(suffix)", subtitle: "µs, shorter is better",
                scenarios: [.latency(mode)], metrics: [.p50, .p99, .p999]),
        ]
    }

    private static let groups =
        [
            Group(
                name: "bulk", title: "Throughput", subtitle: "Gbit/s, longer is better", scenarios: bulk,
                metrics: [.gigabitsPerSecond]),
            Group(
                name: "bulk-cpu", title: "The proxy's CPU time per GiB", subtitle: "seconds, shorter is better",
                scenarios: bulk, metrics: [.cpuSecondsPerGiB]),
        ] + requestGroups(.tcp) + [
            Group(
                name: "idle-and-start", title: "Idle connections and start",
                subtitle: "kB per connection, and ms from exec to the first byte; shorter is better",
                scenarios: [.idle, .start], metrics: [.kilobytesPerConnection, .firstByteMilliseconds])
        ] + requestGroups(.http)

    private static func panel(
        _ results: Results, _ topology: Topology, _ scenario: Scenario, _ metric: Metric, _ namesMetric: Bool
    ) -> Panel? {
        let bars = results.participants(scenario.mode).compactMap { participant -> Bar? in
            let spread = results.spread(topology, scenario, participant.name, metric)
            let hasFailed = results.failure(topology, scenario, participant.name) != nil
            return spread == nil && !hasFailed ? nil : Bar(participant: participant, spread: spread)
        }
        guard bars.contains(where: { $0.spread != nil }) else { return nil }
        let sorted = bars.sorted { one, other in
            guard let first = one.spread?.median else { return false }
            guard let second = other.spread?.median else { return true }
            return metric.lessIsBetter ? first < second : first > second
        }
        let isLatency = if case .latency = scenario { true } else { false }
        return Panel(
            title: isLatency ? metric.title : namesMetric ? "\(scenario.title), \(metric.unit)" : scenario.title,
            metric: metric, bars: sorted)
    }
}

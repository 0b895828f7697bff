import Foundation

/// Everything that a run of the comparison found.
public struct Results: Codable, Sendable {
    /// Who took part.
    public struct Participant: Codable, Sendable, Equatable {
        public var name: String
        public var title: String
        public var role: Peer.Role
        public var mode: Mode
        public var version: String?

        init(_ peer: Peer) {
            self.init(name: peer.name, title: peer.title, role: peer.role, mode: peer.mode, version: peer.version)
        }

        init(name: String, title: String, role: Peer.Role, mode: Mode, version: String? = nil) {
            self.name = name
            self.title = title
            self.role = role
            self.mode = mode
            self.version = version
        }
    }

    /// One peer in one scenario in one round.
    public struct Measurement: Codable, Sendable {
        public var topology: Topology
        public var scenario: String
        public var peer: String
        public var round: Int
        /// What was measured, by the names of `Metric`.
        public var figures: [String: Double]
        /// Why there is nothing, where there is nothing.
        public var failure: String?

        init(
            topology: Topology, scenario: Scenario, peer: String, round: Int, figures: [Metric: Double] = [:],
            failure: String? = nil
        ) {
            self.topology = topology
            self.scenario = scenario.name
            self.peer = peer
            self.round = round
            self.figures = Dictionary(uniqueKeysWithValues: figures.map { ($0.key.rawValue, $0.value) })
            self.failure = failure
        }
    }

    public var machine: Machine
    public var settings: Settings
    public var participants: [Participant]
    /// A line for each peer that was left out.
    public var missing: [String]
    public var measurements: [Measurement] = []

    init(machine: Machine, settings: Settings, participants: [Participant], missing: [String]) {
        self.machine = machine
        self.settings = settings
        self.participants = participants
        self.missing = missing
    }

    /// The failed ones.
    public var failures: [Measurement] { measurements.filter { $0.failure != nil } }

    /// What a peer reached in a scenario, over all rounds; nil if nothing was measured.
    func spread(_ topology: Topology, _ scenario: Scenario, _ peer: String, _ metric: Metric) -> Spread? {
        let values = measurements.compactMap { measurement in
            measurement.topology == topology && measurement.scenario == scenario.name && measurement.peer == peer
                ? measurement.figures[metric.rawValue] : nil
        }
        return values.isEmpty ? nil : Spread(values)
    }

    /// Why a peer has no figures in a scenario, or not in every round.
    func failure(_ topology: Topology, _ scenario: Scenario, _ peer: String) -> String? {
        measurements.first {
            $0.topology == topology && $0.scenario == scenario.name && $0.peer == peer && $0.failure != nil
        }?.failure
    }

    /// The best of the other proxies in one metric: not `direct`, nor the limit, nor ours.
    func best(_ topology: Topology, _ scenario: Scenario, _ metric: Metric) -> (peer: Participant, value: Double)? {
        best(topology, scenario, metric, among: participants(scenario.mode).filter { $0.role == .peer })
    }

    /// The better one of those that the goals with HTTP name.
    func bestRival(
        _ topology: Topology, _ scenario: Scenario, _ metric: Metric
    ) -> (peer: Participant, value: Double)? {
        let rivals = participants(scenario.mode).filter { Results.rivals.contains($0.name) }
        return best(topology, scenario, metric, among: rivals)
    }

    private static let rivals = ["haproxy", "nginx"]

    private func best(
        _ topology: Topology, _ scenario: Scenario, _ metric: Metric, among peers: [Participant]
    ) -> (peer: Participant, value: Double)? {
        let values = peers.compactMap { peer in
            spread(topology, scenario, peer.name, metric).map { (peer: peer, value: $0.median) }
        }
        return metric.lessIsBetter
            ? values.min { $0.value < $1.value } : values.max { $0.value < $1.value }
    }

    /// Who took part in a mode.
    func participants(_ mode: Mode) -> [Participant] { participants.filter { $0.mode == mode } }

    /// The first participant of a role that there is one of.
    func name(_ role: Peer.Role, _ mode: Mode) -> String? { participants(mode).first { $0.role == role }?.name }

    /// Which modes were measured.
    var modes: [Mode] {
        let measured = Set(sections.map(\.scenario.mode))
        return Mode.allCases.filter(measured.contains)
    }

    /// Which pairs of topology and scenario were measured, in the order of the report: a mode after the other.
    var sections: [(topology: Topology, scenario: Scenario)] {
        Mode.allCases.flatMap { mode in
            Topology.allCases.flatMap { topology in
                Scenario.all.compactMap { scenario in
                    scenario.mode == mode
                        && measurements.contains { $0.topology == topology && $0.scenario == scenario.name }
                        ? (topology, scenario) : nil
                }
            }
        }
    }
}

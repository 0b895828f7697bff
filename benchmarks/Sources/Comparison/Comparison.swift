import Foundation
import Glibc

/// The comparison: every peer does every scenario in every round.
public struct Comparison {
    public var peers: [Peer]
    /// What to measure in each topology.
    public var plan: [(topology: Topology, scenarios: [Scenario])]
    public var settings: Settings
    /// A line for each peer that is left out.
    public var missing: [String]
    let resources: Resources
    /// Gets a line for each measurement.
    let progress: (String) -> Void

    public init(
        peers: [Peer], plan: [(topology: Topology, scenarios: [Scenario])], settings: Settings, missing: [String],
        resources: Resources, progress: @escaping (String) -> Void
    ) {
        self.peers = peers
        self.plan = plan
        self.settings = settings
        self.missing = missing
        self.resources = resources
        self.progress = progress
    }

    /// Says why the comparison cannot run here, if it cannot.
    public static func check() throws {
        guard geteuid() == 0 else {
            throw Failure("network namespaces take root: run this as root, or with sudo")
        }
        for program in ["ip", "iperf3", "wrk", "nginx", "openssl", "strace"] {
            guard (try? SystemCommand.output(["sh", "-c", "command -v \(program)"])) != nil else {
                throw Failure("there is no \(program): scripts/install-packages bench installs it")
            }
        }
        raiseDescriptorLimit()
    }

    /// A proxy has two descriptors for each connection that idles. Processes inherit the limit.
    private static func raiseDescriptorLimit() {
        var limit = rlimit(rlim_cur: 65_536, rlim_max: 65_536)
        guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) != 0 else { return }
        // Not even root may go above what it was given, in some containers.
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// Runs to the end. What fails is in the results, and the rest goes on.
    /// - Throws: where the machine cannot do it at all, or it was interrupted.
    public func run() throws -> Results {
        NetworkNamespace.removeStale()
        let files = try WorkFolder()
        let bench = Bench(settings: settings, resources: resources, files: files)
        var results = Results(
            machine: .current(), settings: settings, participants: peers.map(Results.Participant.init),
            missing: missing)
        var networks: [(Network, [Scenario])] = []
        defer { for (network, _) in networks { network.remove() } }
        for (topology, scenarios) in plan { networks.append((try Network(topology), scenarios)) }

        for round in 1...settings.rounds {
            for (network, scenarios) in networks {
                for scenario in scenarios where round == 1 || !scenario.isDoneOnce {
                    // A new order each time, so that what comes before and after harms or helps all alike.
                    for peer in peers.shuffled() where settings.includes(scenario, peer) {
                        results.measurements.append(
                            try measure(bench, scenario, peer, network, round: round))
                        files.empty()
                    }
                }
            }
        }
        return results
    }

    private func measure(
        _ bench: Bench, _ scenario: Scenario, _ peer: Peer, _ network: Network, round: Int
    ) throws -> Results.Measurement {
        let place = "round \(round)/\(settings.rounds)  \(network.topology.rawValue)  \(scenario.name)  \(peer.title)"
        do {
            var figures = try bench.measure(scenario, peer: peer, network: network)
            if round == 1, scenario.countsCalls {
                figures.merge(try bench.callsPerRequest(scenario, peer: peer, network: network)) { $1 }
            }
            let told = scenario.metrics.compactMap { metric in
                figures[metric].map { "\(metric.title) \(metric.format($0)) \(metric.unit)" }
            }
            progress("\(place)  \(told.prefix(3).joined(separator: ", "))")
            return Results.Measurement(
                topology: network.topology, scenario: scenario, peer: peer.name, round: round, figures: figures)
        } catch {
            if ProcessRegistry.isClosed { throw Failure("interrupted") }
            progress("\(place)  failed: \(error)")
            return Results.Measurement(
                topology: network.topology, scenario: scenario, peer: peer.name, round: round, failure: "\(error)")
        }
    }
}

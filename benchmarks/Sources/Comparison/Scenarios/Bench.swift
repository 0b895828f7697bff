import Foundation

/// Carries measurements out, one at a time.
struct Bench {
    let settings: Settings
    let resources: Resources
    let files: WorkFolder

    /// Measures a peer in a scenario, with processes of its own.
    func measure(_ scenario: Scenario, peer: Peer, network: Network) throws -> [Metric: Double] {
        switch scenario {
        case .bulk(let direction, let streams):
            try bulk(direction, streams: streams, peer: peer, network: network)
        case .requests(_, let connections):
            try requests(Load(connections: connections), peer: peer, network: network)
        case .bodies:
            try requests(Load(connections: 8, path: App.bodyPath), peer: peer, network: network)
        case .connections:
            try requests(Load(connections: 64, closes: true), peer: peer, network: network)
        case .latency:
            try latency(peer: peer, network: network)
        case .idle:
            try idle(peer: peer, network: network)
        case .secureBulk:
            try secureBulk(peer: peer, network: network)
        case .handshakes(let resumed):
            try handshakes(resumed: resumed, peer: peer, network: network)
        case .start:
            try start(peer: peer, network: network)
        case .datagrams(let clients, let inFlight, let size):
            try datagrams(clients: clients, inFlight: inFlight, size: size, peer: peer, network: network)
        }
    }

    /// Calls `body` with a fresh app and proxy, and ends them.
    func withRig<Result>(
        _ peer: Peer, _ app: App, _ network: Network, _ body: (Rig) throws -> Result
    ) throws -> Result {
        let rig = try Rig.started(peer: peer, app: app, network: network, resources: resources, files: files)
        defer { rig.stop() }
        do {
            return try body(rig)
        } catch {
            // A proxy that died is the better explanation.
            try rig.checkProxy()
            throw error
        }
    }

    /// The command line of a load generator of ours, towards the rig's target.
    func generator(_ command: String, _ rig: Rig, _ options: [String]) -> [String] {
        [resources.program, command, "--host", rig.target.host, "--port", "\(rig.target.port)"] + options
    }

    /// What `body` used of the proxy's CPU time, in seconds.
    func cpuSeconds(of rig: Rig, during body: () throws -> Void) throws -> Double {
        let before = try rig.meter?.cpuSeconds() ?? 0
        try body()
        // What is still to do when the client is content, such as closing, belongs to it.
        usleep(20_000)
        return try (rig.meter?.cpuSeconds() ?? 0) - before
    }

    /// What a proxy holds of memory; nothing where there is none.
    func residentMemory(of rig: Rig) -> [Metric: Double] {
        rig.meter.map { [.residentMiB: $0.memory().resident / 1_048_576] } ?? [:]
    }
}

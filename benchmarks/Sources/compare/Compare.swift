import ArgumentParser
import Comparison
import Foundation
import Glibc

@main
struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Compares TCP, HTTP and UDP proxies on this machine, in network namespaces of its own.",
        discussion: """
            Ends with a report: report.md, report.json and plots. Takes root, for the namespaces.
            Exit code 1 says that something failed; the report says what.
            """,
        subcommands: [
            CountedRequests.self, PacedRequests.self, HeldConnections.self, FirstByte.self, StampedExec.self,
            Datagrams.self,
            DatagramEchoApp.self,
        ])

    @Option(help: "Only these peers, separated by commas.")
    var only: String?
    @Option(help: "Not these peers, separated by commas.")
    var except: String?
    @Option(
        help: """
            Another TCP proxy, as NAME=COMMAND. In COMMAND, {listen_host}, {listen_port}, {upstream_host} and \
            {upstream_port} are replaced. Can be given several times.
            """)
    var proxy: [String] = []
    @Option(help: "Another HTTP proxy, in the same way.")
    var httpProxy: [String] = []
    @Option(help: "Another UDP proxy, in the same way.")
    var udpProxy: [String] = []
    @Option(help: "What the proxies are: tcp, http, tls, udp or all.")
    var mode = "all"
    @Option(help: "Only these scenarios, separated by commas.")
    var scenario: String?
    @Option(help: "How often every peer does every scenario.")
    var rounds: Int?
    @Option(help: "How many seconds a timed measurement takes.")
    var seconds: Int?
    @Option(help: "Requests a second in the latency scenario.")
    var rate: Int?
    @Option(
        help: "Where the client stands: veth, loopback or both; without --scenario, loopback measures a selection.")
    var topology = "both"
    @Option(help: "The folder for the report (default: results in the benchmarks' folder).")
    var output: String?
    @Flag(help: "One short round, to see that everything works: most peers are only started, unless --only names them.")
    var quick = false
    @Flag(help: "List peers and scenarios, and do nothing.")
    var list = false

    mutating func validate() throws {
        if let rounds, !(1...1000).contains(rounds) { throw ValidationError("--rounds takes 1 to 1000") }
        if let seconds, !(1...3600).contains(seconds) { throw ValidationError("--seconds takes 1 to 3600") }
        if let rate, !(1...1_000_000).contains(rate) { throw ValidationError("--rate takes 1 to 1000000") }
        if mode != "all", Mode(rawValue: mode) == nil {
            throw ValidationError("--mode takes tcp, http, tls, udp or all")
        }
        if topology != "both", Topology(rawValue: topology) == nil {
            throw ValidationError("--topology takes veth, loopback or both")
        }
        for name in names(scenario) ?? [] where Scenario(name: name) == nil {
            throw ValidationError("there is no scenario '\(name)'; --list shows them")
        }
    }

    func run() throws {
        // First of all, while there is one thread.
        try ProcessRegistry.closeAllOnSignals()
        let resources = try Resources()
        let catalogue = try PeerCatalogue(benchmarks: resources.benchmarks)
        let peers =
            try chosen(from: catalogue.peers) + proxy.map { try Peer(argument: $0, mode: .tcp) }
            + httpProxy.map { try Peer(argument: $0, mode: .http) }
            + udpProxy.map { try Peer(argument: $0, mode: .udp) }
        for peer in peers where peers.count(where: { $0.name == peer.name && $0.mode == peer.mode }) > 1 {
            throw ValidationError("there are two peers called '\(peer.name)'")
        }
        if list { return show(catalogue) }

        try Comparison.check()
        let comparison = Comparison(
            peers: peers, plan: plan(for: peers), settings: settings,
            missing: names(only) == nil ? catalogue.missing : [],
            resources: resources, progress: report)
        comparison.missing.forEach(report)
        let results: Results
        do {
            results = try comparison.run()
        } catch {
            // The signal's thread cleans up and ends the process.
            if ProcessRegistry.isClosed { sleep(60) }
            ProcessRegistry.closeAll()
            throw error
        }
        ProcessRegistry.closeAll()

        let report = Report(results)
        let folder = output.map { URL(fileURLWithPath: $0) } ?? resources.benchmarks.appending(path: "results")
        try report.write(to: folder)
        print(report.text)
        print("The report is in \(folder.path).")
        if !results.failures.isEmpty {
            self.report("\(results.failures.count) of \(results.measurements.count) measurements failed")
            throw ExitCode(1)
        }
    }

    private var settings: Settings {
        var settings = quick ? Settings.quick : Settings()
        // Who is named does everything.
        if only != nil || !proxy.isEmpty || !httpProxy.isEmpty || !udpProxy.isEmpty { settings.thoroughPeers = nil }
        if let rounds { settings.rounds = rounds }
        if let seconds { settings.seconds = seconds }
        if let rate { settings.rate = rate }
        return settings
    }

    private func plan(for peers: [Peer]) -> [(topology: Topology, scenarios: [Scenario])] {
        let chosen = names(scenario)?.compactMap(Scenario.init(name:))
        // Direct alone is no comparison, unless nobody else is asked for.
        let proxied = Set(peers.filter { $0.role != .direct }.map(\.mode))
        let modes = Mode.allCases.filter {
            (mode == "all" || mode == $0.rawValue) && (proxied.isEmpty || proxied.contains($0))
        }
        return Topology.allCases.filter { topology == "both" || topology == $0.rawValue }.map { place in
            let onLoopback = quick ? Scenario.onLoopbackQuickly : Scenario.onLoopback
            let all = place == .loopback && topology == "both" ? onLoopback : quick ? Scenario.quick : Scenario.all
            return (place, (chosen ?? all).filter { modes.contains($0.mode) })
        }
    }

    private func chosen(from peers: [Peer]) throws -> [Peer] {
        for name in (names(only) ?? []) + (names(except) ?? []) where !peers.contains(where: { $0.name == name }) {
            throw ValidationError("there is no peer '\(name)' here; --list shows them")
        }
        return peers.filter { peer in
            names(only)?.contains(peer.name) ?? !(names(except) ?? []).contains(peer.name)
        }
    }

    private func show(_ catalogue: PeerCatalogue) {
        for mode in Mode.allCases {
            print("Peers with \(mode.title)")
            for peer in catalogue.peers where peer.mode == mode { print("  \(peer.name)  \(peer.version ?? "")") }
        }
        for line in catalogue.missing { print("  \(line)") }
        print("Scenarios")
        for scenario in Scenario.all { print("  \(scenario.name)  \(scenario.title)") }
    }

    private func names(_ list: String?) -> [String]? {
        list?.split(separator: ",").map(String.init)
    }

    /// Progress goes to standard error, so that standard output has the report alone.
    private func report(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }
}

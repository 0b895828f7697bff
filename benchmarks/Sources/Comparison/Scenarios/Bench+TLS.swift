import Foundation

/// Clients that speak TLS, which ends at the proxy.
extension Bench {
    /// Large answers, by wrk.
    func secureBulk(peer: Peer, network: Network) throws -> [Metric: Double] {
        let load = Load(connections: 8, path: App.largePath)
        return try withRig(peer, .http, network) { rig in
            try warmUpInTLS(rig, load)
            let command = [
                "wrk", "--threads", "1", "--connections", "\(load.connections)", "--duration", "\(settings.seconds)s",
                "--timeout", "10s", "--script", resources.wrkReport.path, url(rig, load),
            ]
            var output = ""
            let cpu = try cpuSeconds(of: rig) {
                output = try rig.startClient(command).outputAtEnd(seconds: Double(settings.seconds) + 15)
            }
            let result = try LoadResult(output: output)
            guard result.errors == 0 else { throw Failure("\(result.errors) errors in \(result.requests) answers") }
            let bytes = Double(result.requests) * Double(App.largeBytes)
            return [
                .gigabitsPerSecond: bytes * 8 / result.seconds / 1e9, .cpuSecondsPerGiB: cpu / (bytes / 1_073_741_824),
            ].merging(residentMemory(of: rig)) { $1 }
        }
    }

    /// Two clients that make one connection after the other.
    func handshakes(resumed: Bool, peer: Peer, network: Network) throws -> [Metric: Double] {
        try withRig(peer, .http, network) { rig in
            func run(seconds: Int) throws -> (connections: Int, seconds: Double) {
                let command = [
                    "openssl", "s_time", "-connect", "\(rig.target.host):\(rig.target.port)",
                    resumed ? "-reuse" : "-new", "-www", "/", "-time", "\(seconds)",
                ]
                let start = Date()
                let clients = try [rig.startClient(command), rig.startClient(command)]
                let outputs = try clients.map { try $0.outputAtEnd(seconds: Double(seconds) + 15) }
                let elapsed = Date().timeIntervalSince(start)
                let counts = try outputs.map { try HandshakeCount(output: $0, resumed: resumed).connections }
                return (counts.reduce(0, +), elapsed)
            }
            _ = try run(seconds: 1)
            var result = (connections: 0, seconds: 0.0)
            // The tool knows whole seconds only, and may stop anywhere in the last.
            let cpu = try cpuSeconds(of: rig) { result = try run(seconds: settings.seconds + 1) }
            return [
                .requestsPerSecond: Double(result.connections) / result.seconds,
                .cpuMicrosecondsPerRequest: cpu * 1e6 / Double(result.connections),
            ].merging(residentMemory(of: rig)) { $1 }
        }
    }

    /// Our own generators don't speak TLS, and wrk takes a second at least.
    func warmUpInTLS(_ rig: Rig, _ load: Load) throws {
        var command = ["wrk", "--threads", "1", "--connections", "\(load.connections)", "--duration", "1s"]
        if load.closes { command += ["--header", "Connection: close"] }
        try rig.startClient(command + [url(rig, load)]).outputAtEnd(seconds: 20)
    }
}

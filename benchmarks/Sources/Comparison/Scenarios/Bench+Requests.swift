import Foundation

extension Bench {
    /// What clients ask for.
    struct Load {
        /// How many at once.
        var connections: Int
        /// Whether a connection ends with its first answer.
        var closes = false
        var path = "/"
    }

    /// wrk through the proxy.
    func requests(_ load: Load, peer: Peer, network: Network) throws -> [Metric: Double] {
        try withRig(peer, .http, network) { rig in
            try warmUp(rig, load)
            var command = [
                "wrk", "--threads", "1", "--connections", "\(load.connections)",
                "--duration", "\(settings.seconds)s", "--timeout", "5s", "--script", resources.wrkReport.path,
            ]
            if load.closes { command += ["--header", "Connection: close"] }
            command.append(url(rig, load))
            var output = ""
            let cpu = try cpuSeconds(of: rig) {
                let client = try rig.startClient(command)
                output = try client.outputAtEnd(seconds: Double(settings.seconds) + 15)
            }
            return try figures(LoadResult(output: output), cpu: cpu, rig: rig)
        }
    }

    /// Requests at a fixed rate through the proxy.
    func latency(peer: Peer, network: Network) throws -> [Metric: Double] {
        try withRig(peer, .http, network) { rig in
            try warmUp(rig, Load(connections: 64))
            let client = try rig.startClient(
                generator(
                    "paced-requests", rig,
                    [
                        "--per-second", "\(settings.rate)", "--connections", "64",
                        "--duration", "\(settings.seconds)",
                    ]))
            var output = ""
            try client.waitFor("ready", seconds: 10)
            let cpu = try cpuSeconds(of: rig) {
                output = try client.outputAtEnd(seconds: Double(settings.seconds) * 5 + 10)
            }
            return try figures(LoadResult(output: output), cpu: cpu, rig: rig)
        }
    }

    /// Requests, so that caches are warm, memory is there, and it is sure that the proxy serves.
    func warmUp(_ rig: Rig, _ load: Load) throws {
        if rig.mode == .tls { return try warmUpInTLS(rig, load) }
        let isDear = load.closes || load.path != "/"
        let requests = isDear ? max(1, settings.requestWarmUp / 10) : settings.requestWarmUp
        let connections = load.closes ? 8 : load.connections
        let options =
            ["--requests", "\(requests)", "--connections", "\(connections)", "--path", load.path]
            + (load.closes ? ["--new-connections"] : [])
        try rig.startClient(generator("counted-requests", rig, options)).outputAtEnd(seconds: 20)
    }

    /// What wrk asks for.
    func url(_ rig: Rig, _ load: Load) -> String {
        "\(rig.mode == .tls ? "https" : "http")://\(rig.target.host):\(rig.target.port)\(load.path)"
    }

    private func figures(_ result: LoadResult, cpu: Double, rig: Rig) throws -> [Metric: Double] {
        guard Double(result.errors) <= Double(result.requests) / 1000 else {
            throw Failure("\(result.errors) errors in \(result.requests) requests")
        }
        var figures: [Metric: Double] = [
            .requestsPerSecond: Double(result.requests) / result.seconds,
            .p50: result.p50, .p99: result.p99, .p999: result.p999,
        ]
        if rig.proxy != nil { figures[.cpuMicrosecondsPerRequest] = cpu * 1e6 / Double(result.requests) }
        return figures.merging(residentMemory(of: rig)) { $1 }
    }
}

extension Bench {
    /// iperf3 through the proxy.
    func bulk(
        _ direction: Scenario.Direction, streams: Int, peer: Peer, network: Network
    ) throws -> [Metric: Double] {
        try withRig(peer, .bulk, network) { rig in
            var command = [
                "iperf3", "--client", rig.target.host, "--port", "\(rig.target.port)", "--json",
                "--parallel", "\(streams)",
            ]
            switch direction {
            case .download: command.append("--reverse")
            case .upload: break
            case .both: command.append("--bidir")
            }
            try run(rig, command + ["--bytes", settings.bulkWarmUp], seconds: 20)

            let amount = settings.bulkBytes.map { ["--bytes", $0] } ?? ["--time", "\(settings.seconds)"]
            var output = ""
            let cpu = try cpuSeconds(of: rig) {
                output = try run(rig, command + amount, seconds: Double(settings.seconds) + 15)
            }
            let result = try IperfResult(json: output)
            var figures: [Metric: Double] = [.gigabitsPerSecond: result.bitsPerSecond / 1e9]
            if rig.proxy != nil { figures[.cpuSecondsPerGiB] = cpu / (result.bytes / 1_073_741_824) }
            return figures.merging(residentMemory(of: rig)) { $1 }
        }
    }

    /// Runs iperf3's client, which says what went wrong in its JSON rather than on standard error.
    @discardableResult
    private func run(_ rig: Rig, _ command: [String], seconds: Double) throws -> String {
        let client = try rig.startClient(command)
        do {
            return try client.outputAtEnd(seconds: seconds)
        } catch {
            if let reason = IperfResult.error(json: client.output) { throw Failure("iperf3: \(reason)") }
            throw error
        }
    }
}

extension Bench {
    /// Datagrams to an app that sends them back, as fast as they are answered.
    func datagrams(clients: Int, inFlight: Int, size: Int, peer: Peer, network: Network) throws -> [Metric: Double] {
        try withRig(peer, .echo, network) { rig in
            func load(seconds: Double) throws -> DatagramResult {
                let command = generator(
                    "datagrams", rig,
                    [
                        "--clients", "\(clients)", "--in-flight", "\(inFlight)", "--size", "\(size)",
                        "--duration", "\(seconds)",
                    ])
                let output = try rig.startClient(command).outputAtEnd(seconds: seconds + 15)
                return try DatagramResult(output: output)
            }
            _ = try load(seconds: settings.datagramWarmUp)
            var result: DatagramResult?
            let cpu = try cpuSeconds(of: rig) {
                result = try load(seconds: settings.datagramSeconds ?? Double(settings.seconds))
            }
            guard let result else { return [:] }
            // A question and its answer.
            let carried = Double(result.answers) * 2
            var figures: [Metric: Double] = [
                .datagramsPerSecond: carried / result.seconds,
                .lostPercent: Double(result.lost) * 100 / Double(result.answers + result.lost),
            ]
            if rig.proxy != nil { figures[.cpuMicrosecondsPerDatagram] = cpu * 1e6 / carried }
            return figures.merging(residentMemory(of: rig)) { $1 }
        }
    }
}

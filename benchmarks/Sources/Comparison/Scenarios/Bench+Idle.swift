import Glibc

extension Bench {
    /// What thousands of connections, each of which has had one request, take of the proxy's memory.
    func idle(peer: Peer, network: Network) throws -> [Metric: Double] {
        try withRig(peer, .http, network) { rig in
            try warmUp(rig, Load(connections: 1))
            guard let meter = rig.meter else { return [:] }
            let before = meter.memory()
            let client = try rig.startClient(
                generator("held-connections", rig, ["--connections", "\(settings.idleConnections)"]), hasInput: true)
            try client.waitFor("ready", seconds: 60)
            usleep(300_000)
            let after = meter.memory()
            try client.tell("enough")
            try client.outputAtEnd(seconds: 20)
            return [
                .kilobytesPerConnection:
                    (after.allocated - before.allocated) / 1000 / Double(settings.idleConnections),
                .residentMiB: after.resident / 1_048_576,
            ]
        }
    }
}

import Foundation

extension Bench {
    /// How long it takes from exec of the proxy until a client, which tries all the time, has the first byte.
    func start(peer: Peer, network: Network) throws -> [Metric: Double] {
        guard peer.role != .direct else { return [:] }
        let rig = try Rig.appOnly(peer: peer, app: .http, network: network, resources: resources, files: files)
        defer { rig.stop() }
        let times = try (0..<settings.starts).map { _ in try startOnce(rig, network) }
        return [.firstByteMilliseconds: Spread(times).median]
    }

    private func startOnce(_ rig: Rig, _ network: Network) throws -> Double {
        let endpoint = Endpoint(host: network.listenHost, port: network.newPort())
        let client = try rig.startClient([
            resources.program, "first-byte", "--host", endpoint.host, "--port", "\(endpoint.port)",
        ])
        try client.waitFor("ready", seconds: 5)
        let stamp = files.newPath("stamp")
        let proxy = try rig.startProxy(
            at: endpoint, wrapper: [resources.program, "stamped-exec", "--stamp", stamp, "--"])
        defer { proxy.terminate(grace: 0.05) }
        let output: String
        do {
            output = try client.outputAtEnd(seconds: 15)
        } catch {
            guard proxy.isRunning else { throw Failure("\(proxy.name) \(proxy.ending)\(proxy.complaint)") }
            throw error
        }
        guard let executed = UInt64(readFile(stamp).filter(\.isNumber)),
            let served = output.split(separator: "\n").last.flatMap({ UInt64($0) }), served > executed
        else { throw Failure("the times are missing") }
        return Double(served - executed) / 1e6
    }
}

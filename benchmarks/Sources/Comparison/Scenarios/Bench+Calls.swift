import Foundation
import Glibc

extension Bench {
    /// The proxy's system calls for each request, counted by strace in a pass of its own, which is not timed.
    func callsPerRequest(_ scenario: Scenario, peer: Peer, network: Network) throws -> [Metric: Double] {
        let load: [String]
        let requests: Int
        switch scenario {
        case .requests(_, let connections):
            requests = settings.countedRequests
            load = ["--connections", "\(connections)"]
        case .bodies:
            requests = settings.countedConnections
            load = ["--connections", "8", "--path", App.bodyPath]
        case .connections:
            requests = settings.countedConnections
            load = ["--connections", "64", "--new-connections"]
        default: return [:]
        }
        return try withRig(peer, .http, network) { rig in
            guard let meter = rig.meter else { return [:] }
            let client = try rig.startClient(
                generator("counted-requests", rig, ["--requests", "\(requests)", "--waits"] + load), hasInput: true)
            // The connections are open, and nothing moves now.
            try client.waitFor("ready", seconds: 20)

            let summary = files.newPath("strace")
            let tree = meter.tree
            let tracer = try ChildProcess(
                ["strace", "-f", "-c", "-o", summary] + tree.flatMap { ["-p", "\($0)"] }, files: files)
            try Wait.until("strace is attached", seconds: 10) {
                guard tracer.isRunning else { throw Failure("strace \(tracer.ending)\(tracer.complaint)") }
                // It says "attached" or, where a process has ended meanwhile, "attach: ...", and goes on.
                return tracer.errorOutput.components(separatedBy: "attach").count > tree.count
            }
            try client.tell("go")
            try client.outputAtEnd(seconds: 60)
            usleep(20_000)
            tracer.signal(SIGINT)
            try Wait.until("strace ends", seconds: 10) { !tracer.isRunning }
            let text = try String(contentsOfFile: summary, encoding: .utf8)
            return [.callsPerRequest: Double(try StraceSummary(text).calls) / Double(requests)]
        }
    }
}

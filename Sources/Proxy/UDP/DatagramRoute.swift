internal import Configuration
internal import EventLoop
internal import Relay
internal import Upstream

/// Serves a route with `protocol: udp` on one worker, for all of its listeners. Belongs to the worker's thread.
final class DatagramRoute {
    let connector: DatagramConnector
    let account = DatagramAccount()
    /// The flows that may make room for others: their clients have said nothing after a response yet.
    private(set) var fleeting = FlowQueue()
    /// The complaints in the log, with the time of the last one.
    var complaints: [String: MonotonicTime] = [:]

    init(_ route: Route, sources: LoopbackSources) {
        connector = DatagramConnector(to: route.upstream.candidates, sources: sources)
    }

    /// Takes over the flows of the route that this one replaces.
    func adoptFlows(of predecessor: DatagramRoute) {
        if fleeting.count == 0 { fleeting = predecessor.fleeting }
    }
}

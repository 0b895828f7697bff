internal import Configuration
internal import EventLoop
internal import Relay
internal import Upstream

/// What one worker has of a route with `protocol: udp`, whatever it listens on. Belongs to the worker's thread.
final class DatagramRoute {
    let connector: DatagramConnector
    let account = DatagramAccount()
    /// The flows that may be ended for others: their clients have said nothing after an answer yet.
    private(set) var fleeting = FlowQueue()
    /// What was complained of, and when last.
    var complaints: [String: MonotonicTime] = [:]

    init(_ route: Route, sources: LoopbackSources) {
        connector = DatagramConnector(to: route.upstream.candidates, sources: sources)
    }

    /// Has some of the flows of a route whose place this one takes.
    func adoptFlows(of predecessor: DatagramRoute) {
        if fleeting.count == 0 { fleeting = predecessor.fleeting }
    }
}

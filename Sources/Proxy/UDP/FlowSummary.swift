internal import EventLoop
internal import Network
internal import Observability
internal import Relay

/// The end of a flow.
enum FlowEnd: Equatable {
    /// Nothing has come either way for long enough.
    case idleTimeout
    /// The app's kernel has refused a datagram.
    case appNotListening
    /// The socket to the app has failed with this errno.
    case appFailed(CInt)
    /// The flow made room for a new client.
    case displaced
    /// No more clients are taken, and this one had its response.
    case finished
    /// The address that it came to has gone.
    case addressGone
    /// The route was removed, or has another app by now, and the flow did not end in time.
    case routeRemoved
    /// loopbridge was stopped before the flow was over.
    case drained

    /// The words for the log.
    var explanation: String {
        switch self {
        case .idleTimeout: "idle timeout"
        case .appNotListening: "the app is not listening"
        case .appFailed(let code): "app: \(SystemError("", code: code).reason)"
        case .displaced: "made room for another client"
        case .finished: "finished"
        case .addressGone: "the address has gone"
        case .routeRemoved: "the route was removed"
        case .drained: "stopped"
        }
    }
}

extension FlowEnd {
    /// The cause for metrics and status; nil for a flow that has not failed. Silence is no failure.
    var cause: FailureCause? {
        switch self {
        case .idleTimeout, .displaced, .finished, .addressGone: nil
        case .appNotListening: .appNotListening
        case .appFailed: .appFailed
        case .routeRemoved: .routeRemoved
        case .drained: .drained
        }
    }
}

/// A flow's line in the access log.
struct FlowSummary {
    let flow: DatagramFlow
    let route: String
    let end: FlowEnd
    /// Whether the address that the app saw says something about the client.
    let namesSource: Bool

    func write(to log: Log) {
        log.info(
            "closed",
            [
                "client": .text(flow.path.clientAddress?.description ?? "-"), "route": .text(route),
                "upstream": .text(flow.upstream.address.description),
                "source": namesSource ? flow.source.map { .text($0.description) } ?? .nothing : .nothing,
                "to_app": .number(Int(flow.bytesToApp)), "to_client": .number(Int(flow.bytesToClient)),
                "datagrams_to_app": .number(Int(flow.datagramsToApp)),
                "datagrams_to_client": .number(Int(flow.datagramsToClient)),
                "ms": .number(Int(MonotonicTime.coarse.since(flow.started) / .milliseconds(1))),
                "end": .text(end.explanation),
            ])
    }
}

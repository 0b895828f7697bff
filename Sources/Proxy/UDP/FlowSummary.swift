internal import EventLoop
internal import Network
internal import Observability
internal import Relay

/// How a flow ended.
enum FlowEnd: Equatable {
    /// Nothing has come either way for long enough.
    case idleTimeout
    /// The app's kernel has refused a datagram.
    case appNotListening
    /// The socket to the app has failed with this errno.
    case appFailed(CInt)
    /// A new client got its place.
    case displaced
    /// No more clients are taken, and this one had its answer.
    case finished
    /// The address that it came to has gone.
    case addressGone
    /// The route was removed, or has another app by now, and the flow did not end in time.
    case routeRemoved
    /// loopbridge was stopped before the flow was over.
    case drained

    /// What the log says, a few words.
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
    /// As metrics and status have it; nil for what is no failure. Silence is how flows end.
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

/// What the access log says about a flow.
struct FlowSummary {
    let flow: DatagramFlow
    let route: String
    let end: FlowEnd
    /// Whether where the app saw it come from says something about the client.
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

internal import EventLoop
internal import Network
internal import Relay
internal import Upstream

/// After 101 (Switching Protocols) the two connections are a relay.
extension HTTPSession {
    func relay(_ exchange: HTTPExchange, _ connection: AppConnection) {
        guard let socket else { return }
        // What the client has said without waiting for the switch.
        let hasFailed = exchange.useInput { bytes in
            guard !bytes.isEmpty else { return (0, false) }
            if case .sinkFailed = toApp.deliver(bytes, Span(), to: connection.socket.socket, in: workspace) {
                return (bytes.count, true)
            }
            return (bytes.count, false)
        }
        if hasFailed { return breakOff(.answerCutOff) }
        let duplex = Duplex(
            downstream: socket, upstream: connection.socket, toUpstream: toApp, toDownstream: toClient, in: workspace)
        _ = socket.takeUnusedReadiness()
        _ = connection.socket.takeUnusedReadiness()
        self.socket = nil
        state = .relaying(duplex, exchange)
        duplex.onEnd = { [unowned self] in relayEnded($0) }
        duplex.start()
    }

    private func relayEnded(_ end: Duplex.End) {
        guard case .relaying(let duplex, let exchange) = state else { return }
        clock.beginTurn()
        exchange.bytesToApp = duplex.bytesToUpstream
        exchange.bytesToClient = duplex.bytesToDownstream
        requestEnded(exchange, SessionEnd(end, aborted: abortReason))
        http.giveBack(exchange)
        self.end()
    }
}

extension SessionEnd {
    /// - Parameter reason: why the relay was aborted, if it was.
    init(_ end: Duplex.End, aborted reason: SessionEnd) {
        self =
            switch end {
            case .finished: .finished
            case .downstreamFailed(let code): .clientFailed(code)
            case .upstreamFailed(let code): .appFailed(code)
            case .aborted: reason
            }
    }
}

internal import Configuration
internal import EventLoop
internal import Glibc
internal import Network
internal import Relay
internal import Upstream

/// One client's connection to a route with `protocol: tcp`.
final class TCPSession: Session {
    private enum State {
        /// The client has not spoken, and the app is not to know of it before.
        case silent(WatchedSocket)
        /// The client waits for a connection to the app.
        case connecting(WatchedSocket, ConnectRequest?)
        /// - from: where the app sees it come from, where that is worth naming.
        case relaying(Duplex, to: SocketAddress, from: SocketAddress?)
        case ended
    }

    private var state = State.ended
    private var abortReason = SessionEnd.drained
    /// Of a client on a Unix socket, where that is logged.
    private var peer: PeerCredentials?

    /// Asks for a connection to the app, now or once the client has spoken.
    override func start(with socket: WatchedSocket) {
        if worker.logsAccess, case .unix = client { peer = socket.socket.peerCredentials }
        socket.onReady = { [unowned self, unowned socket] readiness in waitingClientReady(socket, readiness) }
        switch route.configuration.connect {
        case .accept: connect(socket)
        case .firstByte:
            state = .silent(socket)
            // What was said behind a PROXY header is not told again.
            if !socket.unusedReadiness.isEmpty { silentClientReady(socket, socket.unusedReadiness) }
        }
    }

    private func connect(_ socket: WatchedSocket) {
        state = .connecting(socket, nil)
        let request = route.app.connect(for: client.ipAddress) { [unowned self] in answered($0) }
        if case .connecting(let socket, nil) = state { state = .connecting(socket, request) }
    }

    override func boundBuffers(to bytes: Int?) {
        switch state {
        case .silent(let socket), .connecting(let socket, _): socket.socket.boundBuffers(to: bytes)
        case .relaying(let duplex, _, _): duplex.boundBuffers(to: bytes)
        case .ended: break
        }
    }

    override func abort(_ reason: SessionEnd) {
        switch state {
        case .silent(let socket): refuse(socket, reason)
        case .connecting(let socket, let request):
            request?.cancel()
            refuse(socket, reason)
        case .relaying(let duplex, _, _):
            abortReason = reason
            duplex.abort()
        case .ended: break
        }
    }

    /// At the server's end, a client that has not asked for anything yet has nothing to finish. Where only the route goes,
    /// it has as long as the others.
    override func drain() {
        if case .silent = state, worker.isDraining { abort(.drained) }
    }

    override func checkTimeouts(_ hearing: Hearing) {
        if case .silent = state, hearing.silence(since: started) >= route.configuration.idleTimeout {
            return abort(.idleTimeout)
        }
        // Those who wait for the app are looked after on the way there.
        guard case .relaying(let duplex, _, _) = state else { return }
        if let reason = silenceEnd(of: duplex, hearing) { abort(reason) }
    }

    /// Whatever the client sends while it waits stays in the kernel; only its end is of interest, or its beginning.
    private func waitingClientReady(_ socket: WatchedSocket, _ readiness: IOEvent.Readiness) {
        socket.unusedReadiness.formUnion(readiness)
        switch state {
        case .silent: silentClientReady(socket, readiness)
        case .connecting(_, let request): queuedClientReady(socket, readiness, request)
        case .relaying, .ended: break
        }
    }

    private func silentClientReady(_ socket: WatchedSocket, _ readiness: IOEvent.Readiness) {
        if readiness.contains(.failed) {
            refuse(socket, .clientFailed(socket.socket.takeError()))
        } else if readiness.contains(.endOfStream) || socket.socket.isLayered {
            // What a layer's socket has to be read may be a part of a record, or a message of the layer's own.
            switch socket.socket.unread {
            case .something: connect(socket)
            case .nothing: break
            case .end: end(.finished, upstream: nil, sent: 0, received: 0)
            }
        } else if readiness.contains(.readable) {
            connect(socket)
        }
    }

    private func queuedClientReady(
        _ socket: WatchedSocket, _ readiness: IOEvent.Readiness, _ request: ConnectRequest?
    ) {
        if readiness.contains(.failed) {
            // When the app is just being tried, it is to have that too.
            guard request?.cancelUnlessBeingTried() ?? true else { return }
            refuse(socket, .clientFailed(socket.socket.takeError()))
        } else if readiness.contains(.endOfStream), let request, request.isInLine, socket.socket.hasEndedUnread {
            // Not so one that has finished sending after its request: it waits for the answer.
            request.cancel()
            refuse(socket, .clientLeft)
        }
    }

    private func answered(_ result: ConnectRequest.Result) {
        guard case .connecting(let socket, _) = state else { return }
        switch result {
        case .connected(let connection):
            let isNamed = worker.logsAccess && route.app.sources.areWorthNaming
            let source = isNamed ? connection.socket.socket.localAddress : nil
            let duplex = Duplex(downstream: socket, upstream: connection.socket, in: worker.workspace)
            state = .relaying(duplex, to: connection.address, from: source)
            duplex.onEnd = { [unowned self] in relayEnded($0) }
            let header = proxyHeader(on: socket.socket)
            duplex.start(with: header.span)
        case _ where socket.unusedReadiness.contains(.failed):
            refuse(socket, .clientFailed(socket.socket.takeError()))
        case .refused: refuse(socket, .appNotListening)
        case .timedOut: refuse(socket, .appBusy)
        case .queueFull: refuse(socket, .queueFull)
        case .waitedTooLong: refuse(socket, .queueTimeout)
        // It had taken the connection, and was gone before we were told so.
        case .failed(let error) where error.code == ECONNRESET: refuse(socket, .appFailed(error.code))
        case .failed(let error): refuse(socket, .connectFailed(error))
        }
    }

    private func refuse(_ socket: WatchedSocket, _ reason: SessionEnd) {
        socket.socket.resetWhenClosed()
        end(reason, upstream: nil, sent: 0, received: 0)
    }

    private func relayEnded(_ end: Duplex.End) {
        guard case .relaying(let duplex, let address, let source) = state else { return }
        self.end(
            SessionEnd(end, aborted: abortReason), upstream: address, source: source, sent: duplex.bytesToUpstream,
            received: duplex.bytesToDownstream)
    }

    override var bytesMoved: (toApp: UInt64, toClient: UInt64) {
        guard case .relaying(let duplex, _, _) = state else { return (0, 0) }
        return (duplex.bytesToUpstream, duplex.bytesToDownstream)
    }

    override var usesApp: Bool { if case .relaying = state { true } else { false } }

    private func end(
        _ reason: SessionEnd, upstream: SocketAddress?, source: SocketAddress? = nil, sent: UInt64, received: UInt64
    ) {
        state = .ended
        worker.log(
            SessionSummary(
                client: client, peer: peer, route: route.configuration.name, upstream: upstream, source: source,
                bytesToApp: sent,
                bytesToClient: received, duration: MonotonicTime.coarse.since(started), end: reason))
        route.traffic.countFailure(reason)
        worker.ended(self, bytesMoved: (sent, received))
    }
}

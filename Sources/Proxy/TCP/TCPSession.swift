internal import Configuration
internal import EventLoop
internal import Glibc
internal import Network
internal import Relay
internal import Upstream

/// One client's connection to a route with `protocol: tcp`.
final class TCPSession: Session {
    private enum State {
        /// The client has not spoken, and the app is not called before.
        case silent
        /// The client waits for a connection to the app. The request is nil while it is being made.
        case connecting(ConnectRequest?)
        /// The relay has the client's socket.
        /// - from: the address that the app sees, where that is worth logging.
        case relaying(Duplex, to: SocketAddress, from: SocketAddress?)
        case ended
    }

    var connection: ClientConnection
    var index = 0
    private var state = State.silent
    private var abortReason = SessionEnd.drained
    /// The process of a client on a Unix socket, where that is logged.
    private var peer: PeerCredentials?

    init(_ connection: consuming ClientConnection) {
        self.connection = connection
    }

    /// Asks for a connection to the app, now or once the client has spoken.
    func start() {
        guard let socket else { return }
        if worker.logsAccess, case .unix = client { peer = socket.socket.peerCredentials }
        // The relay or the connection's end takes the handler away.
        socket.onReady = { [unowned self] in waitingClientReady($0) }
        switch route.configuration.connect {
        case .accept: connect()
        case .firstByte:
            // The kernel does not tell again of what came behind a PROXY header.
            if !socket.unusedReadiness.isEmpty { silentClientReady(socket, socket.unusedReadiness) }
        }
    }

    private func connect() {
        state = .connecting(nil)
        // The session holds the request until it is completed or cancelled.
        let request = route.app.connect(for: client.ipAddress) { [unowned self] in answered($0) }
        if case .connecting(nil) = state { state = .connecting(request) }
    }

    func boundBuffers(to bytes: Int?) {
        switch state {
        case .silent, .connecting: socket?.socket.boundBuffers(to: bytes)
        case .relaying(let duplex, _, _): duplex.boundBuffers(to: bytes)
        case .ended: break
        }
    }

    func abort(_ reason: SessionEnd) {
        switch state {
        case .silent: refuse(reason)
        case .connecting(let request):
            request?.cancel()
            refuse(reason)
        case .relaying(let duplex, _, _):
            abortReason = reason
            duplex.abort()
        case .ended: break
        }
    }

    /// Ends a silent client at the server's end: it has nothing to finish. Where only the route is removed,
    /// it has as long as the others.
    func drain() {
        if case .silent = state, worker.isDraining { abort(.drained) }
    }

    func checkTimeouts(_ hearing: Hearing) {
        if case .silent = state, hearing.silence(since: started) >= route.configuration.idleTimeout {
            return abort(.idleTimeout)
        }
        // The way to the app has timeouts of its own.
        guard case .relaying(let duplex, _, _) = state else { return }
        if let reason = silenceEnd(of: duplex, hearing) { abort(reason) }
    }

    /// Leaves in the kernel what the client sends while it waits; only its end or its beginning matters.
    private func waitingClientReady(_ readiness: IOEvent.Readiness) {
        guard let socket else { return }
        socket.unusedReadiness.formUnion(readiness)
        switch state {
        case .silent: silentClientReady(socket, readiness)
        case .connecting(let request): queuedClientReady(socket, readiness, request)
        case .relaying, .ended: break
        }
    }

    private func silentClientReady(_ socket: WatchedSocket, _ readiness: IOEvent.Readiness) {
        if readiness.contains(.failed) {
            refuse(.clientFailed(socket.socket.takeError()))
        } else if readiness.contains(.endOfStream) || socket.socket.isLayered {
            // A layer may have received only a part of a record, or a message of its own.
            switch socket.socket.unread {
            case .something: connect()
            case .nothing: break
            case .end: end(.finished, upstream: nil, sent: 0, received: 0)
            }
        } else if readiness.contains(.readable) {
            connect()
        }
    }

    private func queuedClientReady(
        _ socket: WatchedSocket, _ readiness: IOEvent.Readiness, _ request: ConnectRequest?
    ) {
        if readiness.contains(.failed) {
            // An app that is just being called is to have what the client has said.
            guard request?.cancelUnlessBeingTried() ?? true else { return }
            refuse(.clientFailed(socket.socket.takeError()))
        } else if readiness.contains(.endOfStream), let request, request.isInLine, socket.socket.hasEndedUnread {
            // A client that has finished sending after its request stays: it waits for the response.
            request.cancel()
            refuse(.clientLeft)
        }
    }

    private func answered(_ result: ConnectRequest.Result) {
        guard case .connecting = state, let socket else { return }
        switch result {
        case .connected(let connection):
            let isNamed = worker.logsAccess && route.app.sources.areWorthNaming
            let source = isNamed ? connection.socket.socket.localAddress : nil
            let duplex = Duplex(downstream: socket, upstream: connection.socket, in: worker.workspace)
            state = .relaying(duplex, to: connection.address, from: source)
            self.socket = nil
            // The table keeps the session until the relay has ended.
            duplex.onEnd = { [unowned self] in relayEnded($0) }
            let header = proxyHeader(on: socket.socket)
            duplex.start(with: header.span)
        case _ where socket.unusedReadiness.contains(.failed):
            refuse(.clientFailed(socket.socket.takeError()))
        case .refused: refuse(.appNotListening)
        case .timedOut: refuse(.appBusy)
        case .queueFull: refuse(.queueFull)
        case .waitedTooLong: refuse(.queueTimeout)
        // The app had taken the connection, and was gone before the loop told of it.
        case .failed(let error) where error.code == ECONNRESET: refuse(.appFailed(.system(error.code)))
        case .failed(let error): refuse(.connectFailed(error))
        }
    }

    private func refuse(_ reason: SessionEnd) {
        socket?.socket.resetWhenClosed()
        end(reason, upstream: nil, sent: 0, received: 0)
    }

    private func relayEnded(_ end: Duplex.End) {
        guard case .relaying(let duplex, let address, let source) = state else { return }
        self.end(
            SessionEnd(end, aborted: abortReason), upstream: address, source: source, sent: duplex.bytesToUpstream,
            received: duplex.bytesToDownstream)
    }

    var bytesMoved: (toApp: UInt64, toClient: UInt64) {
        guard case .relaying(let duplex, _, _) = state else { return (0, 0) }
        return (duplex.bytesToUpstream, duplex.bytesToDownstream)
    }

    var usesApp: Bool { if case .relaying = state { true } else { false } }

    var keepsApp: Bool { false }

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
        worker.sessions.end(self, bytesMoved: (sent, received))
    }
}

internal import EventLoop
internal import Glibc
internal import Network
internal import Relay
internal import Upstream

/// Ends a client's connection, or makes something else of it.
extension HTTP1ClientConnection {
    /// Ends an idle connection that has failed.
    func idleClientFailed(_ code: SocketFailure) {
        // Between two requests nothing is missing.
        if code == .cutOff { return end() }
        route.traffic.countFailure(.clientFailed(code))
        part(with: nil, atOnce: false)
    }

    /// Resets the client's connection, and the app's, once either has what it was given.
    /// - Parameter atOnce: reset them now.
    func part(with connection: AppConnection?, atOnce: Bool) {
        guard let socket else { return }
        self.socket = nil
        var legs = [Parting.Leg(socket, takingFrom: toClient)]
        if let connection { legs.append(Parting.Leg(connection.socket, takingFrom: toApp)) }
        let parting = Parting(legs, in: workspace)
        state = .parting(parting)
        if atOnce { appParting?.cancel() }
        // The worker keeps the session until this has been called.
        parting.begin { [unowned self] in end() }
        if atOnce { parting.cancel() }
    }

    /// Resets the app's connection alone, once the app has what it was given.
    func partFromApp(_ connection: AppConnection) {
        let parting = Parting([Parting.Leg(connection.socket, takingFrom: toApp)], in: workspace)
        appParting = parting
        // The worker keeps the session until this has been called: see end().
        parting.begin { [unowned self] in
            appParting = nil
            if case .parting(let current) = state, current === parting { end() }
        }
    }

    /// Closes the connection, or what is left of it.
    func end() {
        if case .ended = state { return }
        if let appParting {
            socket?.onReady = nil
            socket = nil
            state = .parting(appParting)
            return
        }
        let bytesMoved = bytesMoved
        state = .ended
        closeOwnConnection()
        toApp.abandon(in: workspace)
        toClient.abandon(in: workspace)
        socket?.onReady = nil
        socket = nil
        worker.sessions.end(self, bytesMoved: bytesMoved)
    }

    // MARK: The relay

    /// Makes a relay of the client's connection and the app's.
    func relay(_ exchange: HTTPExchange, with connection: AppConnection) {
        guard let socket else { return }
        let duplex = Duplex(
            downstream: socket, upstream: connection.socket, toUpstream: toApp, toDownstream: toClient, in: workspace)
        _ = socket.takeUnusedReadiness()
        _ = connection.socket.takeUnusedReadiness()
        self.socket = nil
        state = .relaying(duplex, exchange)
        // The session owns the relay.
        duplex.onEnd = { [unowned self] in relayEnded($0) }
        duplex.start()
    }

    private func relayEnded(_ end: Duplex.End) {
        guard case .relaying(let duplex, let exchange) = state else { return }
        clock.beginTurn()
        let reason = SessionEnd(end, aborted: abortReason)
        _ = exchange.note(.relayEnded)
        exchange.writeDown(reason, self, relayed: (duplex.bytesToUpstream, duplex.bytesToDownstream))
        http.giveBack(exchange)
        self.end()
    }

    // MARK: The app's connection that is the client's own

    /// A connection on which a request can go at once: the client's own, or one that is kept for everybody.
    func takeOpenConnection(at now: MonotonicTime) -> AppConnection? {
        takeOwnConnection() ?? route.app.takeKept(at: now)
    }

    private func takeOwnConnection() -> AppConnection? {
        guard let connection = ownConnection else { return nil }
        ownConnection = nil
        connection.socket.onReady = nil
        guard connection.socket.socket.idleState == .quiet else { return nil }
        route.app.wake(connection)
        return connection
    }

    /// Keeps a connection that the app may know as this client's (NTLM, Negotiate) for the client's next request. It ends with
    /// the client's.
    func keepOwn(_ connection: AppConnection) {
        ownConnection = connection
        route.app.rest(connection, at: clock.now)
        // The session owns the connection, and the connection its socket; this is cleared when the session lets go of it.
        connection.socket.onReady = { [unowned self, unowned connection] readiness in
            // Whoever sends the next request on it is to know of it.
            connection.socket.unusedReadiness.formUnion(readiness)
            // The app ends it, or says what nobody has asked for.
            if !readiness.isDisjoint(with: [.readable, .endOfStream, .failed]) { closeOwnConnection() }
        }
    }

    func closeOwnConnection() {
        ownConnection?.socket.onReady = nil
        ownConnection = nil
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

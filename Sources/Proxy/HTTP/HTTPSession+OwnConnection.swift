internal import EventLoop
internal import Network
internal import Relay
internal import Upstream

/// A connection that the app knows as one client's (NTLM, Negotiate) stays with that client's session and ends with it.
extension HTTPSession {
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

    /// Keeps a connection for the client's next request, unless there will be none.
    func keepOwn(_ connection: AppConnection, after exchange: HTTPExchange) {
        guard !exchange.closes else { return }
        ownConnection = connection
        route.app.rest(connection, at: clock.now)
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

    /// Ends the client's connection because its own one to the app died with a request that might be sent again.
    ///
    /// On another connection the app would not know the client any more, which it can only find out by logging in again
    /// from the beginning. A client that loses its connection does so by itself, as it would without us.
    func endUnanswered(_ exchange: HTTPExchange, _ connection: AppConnection) {
        connection.socket.onReady = nil
        toApp.abandon(in: workspace)
        requestEnded(exchange, .noAnswer)
        close(exchange)
    }
}

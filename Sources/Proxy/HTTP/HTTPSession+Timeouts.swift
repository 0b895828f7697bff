internal import Configuration
internal import EventLoop
internal import Relay
internal import Upstream

extension HTTPSession {
    /// After the last word: how long a client may be silent before the connection is closed, and how long this may take in
    /// all.
    private static let (lingeringSilence, longestLingering) = (Duration.seconds(5), Duration.seconds(30))

    func endWhatTakesTooLong(now: MonotonicTime) {
        let settings = http.settings
        if let ownConnection, route.app.mustMakeWay(ownConnection, at: now) { closeOwnConnection() }
        switch state {
        case .idle:
            // Whoever has never sent anything is not owed an answer.
            let limit = requests == 0 ? settings.headTimeout : settings.keepAliveTimeout
            if now.since(since) >= limit { end() }
        case .readingHead(let exchange):
            guard now.since(exchange.began) >= settings.headTimeout else { return }
            exchange.noteRefusedHead()
            refuse(.headTimeout(after: settings.headTimeout), .headTimeout, exchange)
        case .waitingForApp, .ended: break
        case .exchanging(let exchange, _): checkExchange(exchange, now: now)
        case .delivering:
            if now.since(lastActivity) >= route.configuration.idleTimeout { breakOff(.idleTimeout) }
        case .lingering:
            if now.since(lastActivity) >= Self.lingeringSilence || now.since(since) >= Self.longestLingering { end() }
        case .relaying(let duplex, _):
            let silence = now.since(duplex.lastActivity)
            if duplex.isHalfClosed, silence >= route.configuration.halfCloseTimeout {
                abort(.halfCloseTimeout)
            } else if silence >= route.configuration.idleTimeout {
                abort(.idleTimeout)
            }
        }
    }

    private func checkExchange(_ exchange: HTTPExchange, now: MonotonicTime) {
        let settings = http.settings
        let silence = now.since(exchange.lastRequestActivity)
        if now.since(lastActivity) >= route.configuration.idleTimeout { return breakOff(.idleTimeout) }
        // While the client is not taking an informational response, it is not the app's turn.
        if toClient.isWaitingForSink { return }
        if isRequestSent(exchange) || toApp.isWaitingForSink || exchange.isRequestAbandoned {
            // It is the app's turn: to answer, or to take more of the request, be it that it takes no more of it.
            guard !exchange.isAnswering, silence >= settings.responseTimeout else { return }
            fail(.answerTimeout(http.appName, after: settings.responseTimeout), .answerTimeout, exchange)
        } else if silence >= settings.bodyTimeout {
            guard !exchange.isAnswering else { return breakOff(.bodyTimeout) }
            fail(.bodyTimeout(after: settings.bodyTimeout), .bodyTimeout, exchange)
        }
    }
}

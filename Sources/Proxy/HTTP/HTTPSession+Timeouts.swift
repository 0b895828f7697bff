internal import Configuration
internal import EventLoop
internal import Relay
internal import Upstream

extension HTTPSession {
    /// After the last word: how long a client may be silent before the connection is closed, and how long this may take in
    /// all.
    private static let (lingeringSilence, longestLingering) = (Duration.seconds(5), Duration.seconds(30))

    func endWhatTakesTooLong(_ hearing: Hearing) {
        let settings = http.settings
        if let ownConnection, route.app.mustMakeWay(ownConnection, at: hearing.now) { closeOwnConnection() }
        switch state {
        case .idle:
            // Whoever has never sent anything is not owed an answer.
            let limit = requests == 0 ? settings.headTimeout : settings.keepAliveTimeout
            if hearing.silence(since: since) >= limit { end() }
        case .readingHead(let exchange):
            guard hearing.silence(since: exchange.began) >= settings.headTimeout else { return }
            exchange.noteRefusedHead()
            refuse(.headTimeout(after: settings.headTimeout), .headTimeout, exchange)
        case .waitingForApp, .ended: break
        case .parting(let parting):
            let configuration = route.configuration
            let limit = min(configuration.halfCloseTimeout, configuration.idleTimeout)
            if hearing.silence(since: parting.lastActivity) >= limit { parting.cancel() }
        case .exchanging(let exchange, _): checkExchange(exchange, hearing)
        case .delivering:
            if isIdleForTooLong(hearing) { breakOff(.idleTimeout, atOnce: true) }
        case .lingering:
            if hearing.silence(since: lastActivity) >= Self.lingeringSilence
                || hearing.silence(since: since) >= Self.longestLingering
            {
                end()
            }
        case .relaying(let duplex, _):
            if let reason = silenceEnd(of: duplex, hearing) { abort(reason) }
        }
    }

    private func isIdleForTooLong(_ hearing: Hearing) -> Bool {
        let limit = route.configuration.idleTimeout
        let silence = hearing.silence(since: lastActivity)
        // What a slow client's kernel takes is seen only by asking, and that takes two answers.
        return silence >= limit / 2 && !isStillDelivering() && silence >= limit
    }

    private func checkExchange(_ exchange: HTTPExchange, _ hearing: Hearing) {
        let settings = http.settings
        let silence = hearing.silence(since: exchange.lastRequestActivity)
        if isIdleForTooLong(hearing) { return breakOff(.idleTimeout) }
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

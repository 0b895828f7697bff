internal import Configuration
internal import EventLoop
internal import Glibc
internal import HTTP1
internal import Network
internal import Observability
internal import Relay
internal import Upstream

/// Ends an exchange, and writes it down.
extension HTTPExchange {
    // MARK: Failures

    /// Ends the exchange for a client whose connection is known to have failed.
    func clientHasFailed(_ client: Client) {
        tell(.clientFailed(client.socket?.socket.takeError() ?? .reset), client)
    }

    /// Ends the exchange of a client that has failed: it gets no response. Once the app has what it had said before, there is
    /// nothing to wait for.
    func endIfClientHasFailed(_ client: Client) {
        guard client.toApp.hasSourceFailed, course.isExchanging, !course.takesRequest, self.client === client else {
            return
        }
        clientHasFailed(client)
    }

    /// Ends the exchange where the app's connection is broken and everything that it had said is on its way.
    func endIfAppIsBroken(_ client: Client) {
        guard let code = course.appFault, !client.toClient.isWaitingForSink else { return }
        tell(.appEnded(.failed(code)), client)
    }

    // MARK: Pages

    /// Responds in the app's stead.
    func sendPage(_ refusal: Refusal, _ client: Client) {
        // A client that has not even taken what came before will not take this.
        if client.toClient.isWaitingForSink { return tell(.pageBlocked, client) }
        stopWaiting()
        // The app has been given something that it need not go on with.
        app.release()?.socket.socket.resetWhenClosed()
        client.closeOwnConnection()
        client.toApp.abandon(in: client.workspace)
        client.toClient.beginStream()
        app.begin()
        var page = refusal.page(for: client.http, of: client.route.configuration)
        page.refreshesItself = course.request.method == .get
        record.status = page.status
        var written = takeOutput()
        let size = page.writeResponse(
            as: record.pageFormat, headOnly: course.request.method == .head, closes: true, into: &written)
        record.pageBytes = UInt64(size)
        let outcome = client.send(head: written.span, Span())
        putBack(output: written)
        switch outcome {
        case .ended: deliverRest(client)
        case .sinkFailed(let code): tell(.clientFailed(code), client)
        default: break
        }
    }

    // MARK: Ends

    /// Writes the request down, and goes on with the client's connection.
    func finish(_ next: Exchange.Next, _ cause: Exchange.Cause, _ client: Client) {
        // The app's connection has died with a request that is not sent again.
        if app.release() != nil { client.toApp.abandon(in: client.workspace) }
        writeDown(cause.end, client)
        client.goOn(next, after: self)
    }

    func cutOff(_ cause: Exchange.Cause, _ client: Client) {
        if let connection = app.release() { client.partFromApp(connection) }
        if !client.toClient.isWaitingForSink { deliverRest(client) }
    }

    /// Ends both connections in the middle: the client must see that something is missing, and the app that nobody waits any
    /// more. What either was given arrives before.
    /// - Parameter atOnce: reset them now, whatever is under way.
    func reset(_ cause: Exchange.Cause, atOnce: Bool, _ client: Client) {
        stopWaiting()
        let connection = app.release()
        writeDown(cause.end, client)
        client.http.giveBack(self)
        client.part(with: connection, atOnce: atOnce)
    }

    func leave(_ cause: Exchange.Cause, _ client: Client) {
        writeDown(cause.end, client)
        client.http.giveBack(self)
        client.end()
    }

    /// Withdraws the request for a connection, or for a verdict on a password, that the exchange waits for.
    private func stopWaiting() {
        if case .forApp(let request) = waiting { request.cancel() }
        waiting = .nothing
    }

    // MARK: Timeouts

    /// Ends the exchange if nothing has moved for too long.
    func endIfOverdue(_ hearing: Hearing, _ client: Client) {
        let settings = client.http.settings
        switch course.phase {
        case .readingHead:
            guard hearing.silence(since: record.began) >= settings.headTimeout else { return }
            tell(.headRefused(reader.head.method, .headTimeout), client)
        case .exchanging:
            let silence = hearing.silence(since: record.lastRequestActivity)
            if client.isIdleForTooLong(hearing) { return tell(.timedOut(.idle), client) }
            // While the client is not taking an informational response, it is not the app's turn.
            if client.toClient.isWaitingForSink { return }
            let timeout = course.timeoutRunning(appIsFull: client.toApp.isWaitingForSink)
            let limit = timeout == .body ? settings.bodyTimeout : settings.responseTimeout
            if silence >= limit { tell(.timedOut(timeout), client) }
        case .delivering: if client.isIdleForTooLong(hearing) { tell(.timedOut(.idle), client) }
        // Those who wait for the app are looked after on the way there, and those who wait for a password at the desk.
        case .authorizing, .awaitingApp, .switched, .over: break
        }
    }

    // MARK: Counters and log

    /// Counts the request, whether there was a response or not, and writes it down where that is wanted.
    /// - Parameter relayed: the bytes that went either way after the protocol was switched; nil where it was not.
    func writeDown(_ end: SessionEnd, _ client: Client, relayed: (toApp: UInt64, toClient: UInt64)? = nil) {
        let now = client.clock.now
        if case .finished = end {} else { client.route.traffic.countFailure(end) }
        let toApp = relayed?.toApp ?? reader.body.payloadBytes
        let toClient = relayed?.toClient ?? app.body.payloadBytes + record.pageBytes
        client.tally.countRequest(
            status: record.status, from: record.began, to: now, connected: record.connected,
            firstByte: record.firstByte, bytesToApp: toApp, bytesToClient: toClient)
        guard client.worker.logsAccess else { return }
        client.worker.log(
            RequestSummary(
                client: client.client, user: record.user, route: client.route.configuration.name,
                request: record.hasText ? text : RequestText(),
                status: record.status, bytesToApp: toApp, bytesToClient: toClient, upstream: record.upstream,
                source: record.source, isReused: record.isReused, times: record.times(until: now),
                end: end.explanation))
    }
}

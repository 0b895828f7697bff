internal import Configuration
internal import EventLoop
internal import HTTP1
internal import Network
internal import Observability
internal import Relay
internal import Upstream

/// How an exchange ends in other ways than with the app's answer, and how the connection ends.
extension HTTPSession {
    /// What one turn throws away at the most, in reads.
    private static let discardedReads = 16
    private static let discardedPiece = 64 << 10

    /// Answers in the app's stead. The client's connection ends with it: the request, or what follows it, may be of no
    /// use any more.
    func fail(_ page: ErrorPage, _ reason: SessionEnd, _ exchange: HTTPExchange) {
        if case .exchanging(_, let connection) = state {
            connection.socket.onReady = nil
            // It has been given something that it need not go on with.
            connection.socket.socket.resetWhenClosed()
        }
        refuse(page, reason, exchange)
    }

    /// Answers a request that the app has not seen.
    func refuse(_ page: ErrorPage, _ reason: SessionEnd, _ exchange: HTTPExchange) {
        guard let socket else { return }
        // A client that has not even taken what came before will not take this.
        if toClient.isWaitingForSink { return breakOff(reason) }
        closeOwnConnection()
        state = .delivering(exchange)
        exchange.closes = true
        exchange.failure = reason
        exchange.status = page.status
        exchange.isRequestAbandoned = true
        exchange.endAnswerBody()
        toApp.abandon(in: workspace)
        toClient.beginStream()
        var page = page
        page.refreshesItself = exchange.method == .get
        var output = exchange.takeOutput()
        let bodySize = page.writeResponse(
            as: exchange.acceptsHTML ? .html : .json, headOnly: exchange.method == .head, closes: true, into: &output)
        exchange.bytesToClient = UInt64(bodySize)
        let outcome = toClient.deliver(output.span, Span(), to: socket.socket, in: workspace)
        exchange.putBack(output: output)
        switch outcome {
        case .ended: deliverRest(exchange)
        case .sinkFailed(let code): clientFailed(code)
        default: break
        }
    }

    // MARK: The connection

    /// Ends the client's connection after an answer.
    func close(_ exchange: HTTPExchange) {
        let mayHaveMore = toApp.mayReceive || exchange.hasInput || exchange.isRequestAbandoned
        let isCutOff = exchange.isCutOff
        http.giveBack(exchange)
        closeOwnConnection()
        guard let socket else { return end() }
        if isCutOff {
            socket.socket.breakOffSending()
        } else if mayHaveMore || socket.socket.isLayered {
            socket.socket.finishSending()
        }
        // A layer's end is a message, for which the kernel may have no room yet.
        guard mayHaveMore || socket.socket.unsentBytes > 0 else { return end() }
        state = .lingering
        since = .coarse
        lastActivity = since
        if toApp.mayReceive { discard() }
    }

    /// Throws away what the client sends.
    func discard() {
        guard let socket else { return }
        for _ in 0..<Self.discardedReads {
            guard toApp.mayReceive else { return }
            switch toApp.receive(from: socket.socket, upTo: Self.discardedPiece, in: workspace) {
            case .moved: lastActivity = .coarse
            case .wouldBlock: return
            case .endOfStream, .failed: return end()
            }
        }
        awaitTurn()
    }

    // MARK: Counters and log

    /// Counts a request, whether it was answered or not, and writes it down where that is wanted.
    func requestEnded(_ exchange: HTTPExchange, _ reason: SessionEnd) {
        let now = clock.now
        if case .finished = reason {} else { route.traffic.countFailure(reason) }
        tally.countRequest(
            status: exchange.status, from: exchange.began, to: now, connected: exchange.times.connected,
            firstByte: exchange.times.firstByte, bytesToApp: exchange.bytesToApp, bytesToClient: exchange.bytesToClient)
        guard worker.logsAccess else { return }
        let times = exchange.times
        func span(_ start: MonotonicTime?, _ end: MonotonicTime?) -> Duration? {
            guard let start, let end else { return nil }
            return end.since(start)
        }
        worker.log(
            RequestSummary(
                client: client, user: exchange.user, route: route.configuration.name, request: exchange.text,
                status: exchange.status, bytesToApp: exchange.bytesToApp, bytesToClient: exchange.bytesToClient,
                upstream: exchange.upstream, source: exchange.source, isReused: exchange.isReused,
                times: RequestSummary.Times(
                    queue: span(times.asked, times.called), connect: span(times.called, times.connected),
                    firstByte: span(times.connected, times.firstByte),
                    total: now.since(exchange.began)),
                end: reason.explanation))
    }
}

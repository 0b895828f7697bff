internal import Access
internal import Configuration
internal import EventLoop
internal import Glibc
internal import HTTP1
internal import Memory
internal import Network
internal import Relay
internal import Upstream

/// The way of a request: its head is read, a connection to the app is found, head and body are sent.
extension HTTPSession {
    /// How much is received where a head is expected: enough for any usual one, and for a small body.
    private static let headPiece = 16 << 10

    private enum HeadStep {
        /// More is to come.
        case incomplete
        /// The head is whole, and waits for the app.
        case needsApp
        /// Likewise, and it is to be found out first whether the client may come in.
        case needsAnswer(PasswordQuestion)
        /// The request is on its way.
        case sent
        /// It was refused.
        case refused

        var isIncomplete: Bool { if case .incomplete = self { true } else { false } }
        var isRefused: Bool { if case .refused = self { true } else { false } }
    }

    // MARK: Heads

    /// Reads from the client as long as nothing of a request is there, or a part of its head.
    func readHead() {
        while toApp.mayReceive, let socket {
            switch toApp.receive(from: socket.socket, upTo: Self.headPiece, in: workspace) {
            case .moved(let count):
                lastActivity = clock.now
                guard let exchange = beginReading() else { return breakOff(.refused(.memoryShort), atOnce: true) }
                let step = workspace.withReceived(count) { takeHead($0, exchange) }
                if !step.isIncomplete { return goOn(after: step, exchange) }
            case .wouldBlock: return
            case .endOfStream: return clientEnded()
            // Between two requests nothing is missing.
            case .failed(.cutOff) where isIdle: return end()
            case .failed(let code): return clientFailed(code)
            }
        }
    }

    private var isIdle: Bool {
        if case .idle = state { true } else { false }
    }

    /// - Returns: nil where there is no memory for one more exchange.
    private func beginReading() -> HTTPExchange? {
        if case .readingHead(let exchange) = state { return exchange }
        if http.hasNoIdleExchange, !worker.memory.take(MemoryCost.exchange, for: .client) { return nil }
        let exchange = http.takeExchange()
        exchange.noteBeginning(at: clock.now)
        state = .readingHead(exchange)
        return exchange
    }

    /// Looks at what has just come, where it lies if the head is whole.
    private func takeHead(_ received: Span<UInt8>, _ exchange: HTTPExchange) -> HeadStep {
        guard !exchange.hasInput else {
            guard keep(received, exchange) else { return .refused }
            return exchange.useInput { parse($0, exchange) }
        }
        let (used, step) = parse(received, exchange)
        if used < received.count, !step.isRefused, !keep(received.extracting(used...), exchange) { return .refused }
        return step
    }

    /// Keeps what must outlive the read, if there is memory for it; ends the session otherwise.
    private func keep(_ received: Span<UInt8>, _ exchange: HTTPExchange) -> Bool {
        // A buffer that grows is copied into one of twice the size.
        guard worker.memory.take(2 * received.count, for: .client) else {
            breakOff(.refused(.memoryShort), atOnce: true)
            return false
        }
        exchange.append(input: received)
        return true
    }

    private func parse(_ bytes: Span<UInt8>, _ exchange: HTTPExchange) -> (used: Int, HeadStep) {
        switch exchange.requestParser.parse(bytes) {
        case .incomplete: return (0, .incomplete)
        case .invalid(let fault):
            requests += 1
            exchange.noteRefusedHead()
            if worker.logsAccess { exchange.copyText(exchange.requestParser.head, bytes) }
            refuse(ErrorPage(status: fault.status, explanation: fault.explanation), .invalidRequest, exchange)
            return (bytes.count, .refused)
        case .complete:
            requests += 1
            let head = exchange.requestParser.head
            exchange.begin(head, wantsOrigin: http.rewritesOrigins, bytes, from: sender)
            if worker.logsAccess {
                exchange.copyText(head, bytes)
                exchange.times.asked = clock.now
            }
            if let auth = http.basicAuth {
                switch passwordStep(auth, head, bytes) {
                case .letIn(let user): exchange.user = user
                case .ask(let question): return (0, .needsAnswer(question))
                case .refuse(let page, let reason):
                    refuse(page, reason, exchange)
                    return (bytes.count, .refused)
                }
            }
            guard let connection = takeOpenConnection(at: clock.now) else { return (0, .needsApp) }
            return (send(head, bytes, exchange, connection), .sent)
        }
    }

    private func goOn(after step: HeadStep, _ exchange: HTTPExchange) {
        switch step {
        case .incomplete, .refused: break
        case .needsApp: askForApp(exchange)
        case .needsAnswer(let question): ask(question, exchange)
        case .sent: continueExchange()
        }
    }

    /// Goes on with the next request, if the client has sent it already.
    func nextRequest(after exchange: HTTPExchange) {
        toApp.beginStream()
        toClient.beginStream()
        if exchange.hasInput {
            exchange.beginNext()
            exchange.noteBeginning(at: clock.now)
            state = .readingHead(exchange)
            let step = exchange.useInput { parse($0, exchange) }
            if !step.isIncomplete { return goOn(after: step, exchange) }
        } else {
            http.giveBack(exchange)
            state = .idle
            since = clock.now
        }
        if toApp.mayReceive { readHead() } else if isLeaving, case .idle = state { end() }
    }

    /// The client has finished sending, with no request or with a part of a head.
    private func clientEnded() {
        if case .readingHead(let exchange) = state {
            requestEnded(exchange, .clientLeft)
            http.giveBack(exchange)
        }
        end()
    }

    // MARK: The app

    /// Sends a request on that has waited for something else than the app.
    func goToApp(_ exchange: HTTPExchange) {
        guard let connection = takeOpenConnection(at: route.clock.now) else { return askForApp(exchange) }
        exchange.useInput { (send(exchange.requestParser.head, $0, exchange, connection), ()) }
        continueExchange()
    }

    func askForApp(_ exchange: HTTPExchange) {
        state = .waitingForApp(exchange, nil)
        let request = route.app.connectAnew(for: client.ipAddress) { [unowned self] in answered($0) }
        guard case .waitingForApp(let current, nil) = state, current === exchange else { return }
        state = .waitingForApp(exchange, request)
        if toApp.hasSourceFailed, request.cancelUnlessBeingTried() {
            clientFailed(socket?.socket.takeError() ?? .reset)
        }
    }

    private func answered(_ result: ConnectRequest.Result) {
        guard case .waitingForApp(let exchange, let request) = state else { return }
        let configuration = route.configuration
        if worker.logsAccess { exchange.times.called = request?.lastCall }
        switch result {
        case .connected(let connection):
            if exchange.hasWrittenRequest {
                sendAgain(exchange, connection)
            } else {
                exchange.useInput { (send(exchange.requestParser.head, $0, exchange, connection), ()) }
            }
            continueExchange()
        case .refused: fail(.appNotListening(http.appName), .appNotListening, exchange)
        case .timedOut: fail(.appBusy(http.appName), .appBusy, exchange)
        case .queueFull: fail(.queueFull(http.appName), .queueFull, exchange)
        case .waitedTooLong:
            let limit = configuration.upstreamConnections.queueTimeout
            fail(.queueTimeout(http.appName, after: limit), .queueTimeout, exchange)
        // It had taken the connection, and was gone before we were told so.
        case .failed(let error) where error.code == ECONNRESET: fail(.noAnswer(http.appName), .noAnswer, exchange)
        case .failed(let error): fail(.connectFailed(http.appName, error), .connectFailed(error), exchange)
        }
    }

    /// Whoever leaves while it waits is not worth a connection to the app. When one is just being made, it goes on: a
    /// client that has sent its request and then finished sending waits for its answer.
    func waitingClientReady(_ readiness: IOEvent.Readiness, _ request: ConnectRequest?) {
        guard let socket else { return }
        guard let request else {
            // The password thread is being asked, perhaps for somebody who waits no more.
            if readiness.contains(.failed) { clientFailed(socket.socket.takeError()) }
            return
        }
        if readiness.contains(.failed) {
            // What it has said before it failed is for the app, if that is there.
            if request.cancelUnlessBeingTried() { clientFailed(socket.socket.takeError()) }
        } else if readiness.contains(.endOfStream), socket.socket.hasEndedUnread, request.cancelUnlessBeingTried() {
            breakOff(.clientLeft)
        }
    }

    // MARK: Sending

    /// Sends the head, and what of the body has come with it.
    /// - Returns: how many of the bytes belong to the request.
    private func send(
        _ head: RequestHead, _ bytes: Span<UInt8>, _ exchange: HTTPExchange, _ connection: AppConnection
    ) -> Int {
        use(connection, for: exchange)
        var output = exchange.takeOutput()
        if route.sentHeader != nil, !connection.isReused { output += preamble }
        head.write(bytes, to: http.forwarding, from: sender, into: &output)
        let beginning = exchange.beginRequestBody(head.framing, bytes, from: head.length, into: &output)
        exchange.hasWrittenRequest = true
        if let (pass, next) = beginning {
            exchange.hasConsumedBody = next > head.length
            deliver(output.span, bytes.extracting(pass), exchange, connection)
        } else {
            exchange.hasConsumedBody = true
            exchange.isRequestInvalid = true
        }
        exchange.putBack(output: output)
        return beginning?.next ?? bytes.count
    }

    private func sendAgain(_ exchange: HTTPExchange, _ connection: AppConnection) {
        use(connection, for: exchange)
        let written = exchange.output
        deliver(written.span, Span(), exchange, connection)
    }

    private func use(_ connection: AppConnection, for exchange: HTTPExchange) {
        state = .exchanging(exchange, connection)
        exchange.upstream = connection.address
        exchange.isReused = connection.isReused
        exchange.isOnOwnConnection = connection.isOneClients
        if exchange.authenticatesConnection { connection.isOneClients = true }
        exchange.appSendFault = nil
        let now = clock.now
        exchange.times.connected = now
        if worker.logsAccess, route.app.sources.areWorthNaming {
            exchange.source = connection.socket.socket.localAddress
        }
        toApp.takeSink(isPrompt: connection.isPrompt)
        toClient.takeSource(connection.socket.takeUnusedReadiness())
        connection.socket.onReady = appHandler
        exchange.lastRequestActivity = now
    }

    private func deliver(
        _ first: Span<UInt8>, _ second: Span<UInt8>, _ exchange: HTTPExchange, _ connection: AppConnection
    ) {
        let before = toApp.bytesMoved
        if case .sinkFailed(let code) = toApp.deliver(first, second, to: connection.socket.socket, in: workspace) {
            exchange.appSendFault = code
        }
        noteMoved(toApp.bytesMoved - before)
    }

    /// Goes on when nobody needs the scratch buffer's contents any more.
    func continueExchange() {
        guard case .exchanging(let exchange, _) = state else { return }
        if exchange.isRequestInvalid { return requestIsInvalid(exchange) }
        if let fault = exchange.appSendFault { return appTakesNoMore(exchange, fault) }
        if toApp.mayReceive { carryRequest() }
        if toClient.mayReceive, case .exchanging = state { carryAnswer() }
        endIfClientHasFailed()
    }

    /// Whether the app's kernel has all of the request.
    func isRequestSent(_ exchange: HTTPExchange) -> Bool {
        exchange.isRequestWhole && !toApp.isWaitingForSink && !exchange.isRequestAbandoned
    }

    /// Carries what has come of the request's body.
    func carryRequest(appIsReady: Bool = false) {
        guard case .exchanging(let exchange, let connection) = state, let socket, !exchange.isRequestAbandoned,
            !isRequestSent(exchange)
        else { return }
        let before = toApp.bytesMoved
        let outcome = toApp.advance(
            from: socket.socket, to: connection.socket.socket, sinkIsReady: appIsReady, in: workspace,
            framing: &exchange.requestBody)
        exchange.noteRequestProgress()
        if toApp.bytesMoved > before {
            exchange.hasConsumedBody = true
            noteMoved(toApp.bytesMoved - before)
            exchange.lastRequestActivity = lastActivity
        }
        switch outcome {
        case .waiting: break
        case .yielded: awaitTurn()
        case .ended:
            let trailers = exchange.requestBody.takeTrailers()
            if !trailers.isEmpty { deliver(trailers.span, Span(), exchange, connection) }
            if let fault = exchange.appSendFault { appTakesNoMore(exchange, fault) }
        case .invalid: requestIsInvalid(exchange)
        case .finished: bodyIsCutOff(exchange)
        case .sourceFailed(let code): clientFailed(code)
        case .sinkFailed(let code): appTakesNoMore(exchange, code)
        }
    }

    // MARK: What goes wrong

    /// The app has a part of what is no request: whatever it says to that is not for anybody.
    private func requestIsInvalid(_ exchange: HTTPExchange) {
        exchange.isRequestAbandoned = true
        guard !exchange.isAnswering else { return breakOff(.invalidRequest) }
        let page = ErrorPage(status: 400, explanation: "The request's body is no valid chunked body.")
        fail(page, .invalidRequest, exchange)
    }

    private func bodyIsCutOff(_ exchange: HTTPExchange) {
        exchange.isRequestAbandoned = true
        guard !exchange.isAnswering else { return breakOff(.clientLeft) }
        let page = ErrorPage(status: 400, explanation: "The connection ended before the request's body did.")
        fail(page, .clientLeft, exchange)
    }

    /// The app has closed its side, perhaps with an answer that came before; that is still to be read then.
    private func appTakesNoMore(_ exchange: HTTPExchange, _ code: SocketFailure) {
        exchange.isRequestAbandoned = true
        exchange.appSendFault = code
        toApp.abandon(in: workspace)
        toClient.noteSource(.failed)
        carryAnswer()
    }
}

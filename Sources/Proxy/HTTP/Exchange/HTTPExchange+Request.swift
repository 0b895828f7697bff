internal import Configuration
internal import EventLoop
internal import Glibc
internal import HTTP1
internal import Network
internal import Observability
internal import Relay
internal import Upstream

/// The way of a request: a connection to the app is found, head and body are sent.
extension HTTPExchange {
    /// The result of a look at the bytes that have come of a head; carried out once nobody needs them.
    enum RequestHeadStep {
        case incomplete
        /// No open connection to the app is to be had.
        case needsConnection
        /// The request is on its way.
        case sent(Exchange.Event)
        case needs(Exchange.Action)
    }

    // MARK: Heads

    /// Takes a head from the client's side, and sends it where a connection is open.
    /// - Parameter bytes: those that the head was parsed from, and what has come behind it.
    /// - Returns: the number of bytes that belong to the request and have been used.
    func headIsWhole(_ bytes: Span<UInt8>, _ client: Client) -> (used: Int, RequestHeadStep) {
        let head = reader.head
        if client.http.rewritesOrigins { clientOrigin = head.clientOrigin(bytes, from: client.sender) }
        if head.acceptsHTML(bytes) { record.pageFormat = .html }
        app.expectHead(answering: head.method)
        if client.worker.logsAccess {
            copyText(head, bytes)
            record.asked = client.clock.now
        }
        let terms = RequestTerms(
            method: head.method, version: head.version, upgrade: head.upgrade, keepsAlive: head.keepsAlive)
        switch note(.headCompleted(terms, access(of: head, bytes, client))) {
        case .findApp:
            guard let connection = client.takeOpenConnection(at: client.clock.now) else { return (0, .needsConnection) }
            _ = use(connection, client)
            let (used, event) = send(head, bytes, on: connection, client)
            return (used, .sent(event))
        case .askPassword: return (0, .needs(.askPassword))
        case let action: return (bytes.count, .needs(action))
        }
    }

    /// Takes note that the bytes that have come are no head.
    func headIsInvalid(_ fault: RequestFault, _ bytes: Span<UInt8>, _ client: Client) -> Exchange.Action {
        let head = reader.head
        if client.worker.logsAccess { copyText(head, bytes) }
        return note(.headRefused(head.method, .invalidHead(fault)))
    }

    private func copyText(_ head: RequestHead, _ bytes: Span<UInt8>) {
        record.hasText = true
        text.copy(
            from: bytes, requestLine: head.requestLine, method: head.methodRange, target: head.targetRange,
            referer: head.first(.referer)?.valueRange ?? 0..<0,
            userAgent: head.first(.userAgent)?.valueRange ?? 0..<0)
    }

    /// Carries out the result of a look at a head.
    func goOn(after step: RequestHeadStep, _ client: Client) {
        switch step {
        case .incomplete: break
        case .needsConnection: askForApp(client)
        case .sent(let event): goOn(after: event, client)
        case .needs(let action): perform(action, client)
        }
    }

    // MARK: The app

    /// Sends a request on that has waited for something else than the app.
    func findApp(_ client: Client) {
        guard let connection = client.takeOpenConnection(at: client.clock.now) else { return askForApp(client) }
        connected(connection, client)
    }

    /// Sends a request on another connection than the one that has ended under it.
    func findOtherApp(_ client: Client) {
        // It may be there still, and has a part of a request.
        app.release()?.socket.socket.resetWhenClosed()
        client.toApp.abandon(in: client.workspace)
        askForApp(client)
    }

    private func askForApp(_ client: Client) {
        let request = client.route.app.connectAnew(for: client.client.ipAddress) { [self] in answered($0) }
        // It may have been granted already, and the client's next request may be waiting by now.
        guard case .awaitingApp = course.phase, case .nothing = waiting, self.client === client else { return }
        waiting = .forApp(request)
        if client.toApp.hasSourceFailed, request.cancelUnlessBeingTried() { clientHasFailed(client) }
    }

    private func answered(_ result: ConnectRequest.Result) {
        guard let client, case .awaitingApp = course.phase else { return }
        if client.worker.logsAccess, case .forApp(let request) = waiting { record.called = request.lastCall }
        waiting = .nothing
        switch result {
        case .connected(let connection): connected(connection, client)
        case .refused: tell(.appUnavailable(.appNotListening), client)
        case .timedOut: tell(.appUnavailable(.appBusy), client)
        case .queueFull: tell(.appUnavailable(.queueFull), client)
        case .waitedTooLong: tell(.appUnavailable(.queueTimeout), client)
        // It had taken the connection, and was gone before we were told so.
        case .failed(let error) where error.code == ECONNRESET: tell(.appUnavailable(.noResponse), client)
        case .failed(let error): tell(.appUnavailable(.connectFailed(error.code)), client)
        }
    }

    private func connected(_ connection: AppConnection, _ client: Client) {
        perform(use(connection, client), client)
    }

    /// Ends the wait of a client that leaves: it is not worth a connection to the app. When one is just being made, it goes
    /// on: a client that has sent its request and then finished sending waits for its response.
    func waitingClientReady(_ readiness: IOEvent.Readiness, _ client: Client) {
        guard let socket = client.socket, case .forApp(let request) = waiting else { return }
        if readiness.contains(.failed) {
            // Its words before it failed are for the app, if that is there.
            if request.cancelUnlessBeingTried() { clientHasFailed(client) }
        } else if readiness.contains(.endOfStream), socket.socket.hasEndedUnread, request.cancelUnlessBeingTried() {
            tell(.clientLeft, client)
        }
    }

    // MARK: Sending

    private func use(_ connection: AppConnection, _ client: Client) -> Exchange.Action {
        record.upstream = connection.address
        record.isReused = connection.isReused
        let kind: Exchange.AppConnectionKind =
            connection.isOneClients ? .clientsOwn : record.isReused ? .kept : .new
        if reader.authenticatesConnection { connection.isOneClients = true }
        let now = client.clock.now
        record.connected = now
        record.lastRequestActivity = now
        if client.worker.logsAccess, client.route.app.sources.areWorthNaming {
            record.source = connection.socket.socket.localAddress
        }
        client.toApp.takeSink(isPrompt: connection.isPrompt)
        client.toClient.takeSource(connection.socket.takeUnusedReadiness())
        app.take(connection, appHandler)
        return note(.appConnected(kind))
    }

    /// Writes and sends the head, and the part of the body that has come with it.
    /// - Returns: the number of bytes that belong to the request, and the event for the course.
    private func send(
        _ head: RequestHead, _ bytes: Span<UInt8>, on connection: AppConnection, _ client: Client
    ) -> (used: Int, Exchange.Event) {
        var written = takeOutput()
        if client.route.sentHeader != nil, !connection.isReused { written += client.preamble }
        head.write(bytes, to: client.http.forwarding, from: client.sender, into: &written)
        guard let (pass, next) = reader.beginBody(head.framing, bytes, from: head.length, into: &written) else {
            putBack(output: written)
            return (bytes.count, .requestInvalid)
        }
        let event = deliver(written.span, bytes.extracting(pass), isConsumed: next > head.length, client)
        putBack(output: written)
        return (next, event)
    }

    /// Sends a head that has waited in the input.
    func sendWaitingRequest(_ client: Client) {
        guard let connection = app.connection else { return }
        let event = reader.useInput { send(reader.head, $0, on: connection, client) }
        goOn(after: event, client)
    }

    func sendAgain(_ client: Client) {
        let written = output
        goOn(after: deliver(written.span, Span(), isConsumed: false, client), client)
    }

    /// - Parameter isConsumed: whether some of the body goes with it.
    /// - Returns: the event for the course.
    private func deliver(
        _ first: Span<UInt8>, _ second: Span<UInt8>, isConsumed: Bool, _ client: Client
    ) -> Exchange.Event {
        let before = client.toApp.bytesMoved
        let outcome = app.send(head: first, second, through: client.toApp, in: client.workspace)
        client.noteMoved(client.toApp.bytesMoved - before)
        switch outcome {
        case .sinkFailed(let code):
            if isConsumed { _ = note(.requestMoved(.partly, isConsumed: true)) }
            return .appRefusedRequest(code)
        case .ended: return .requestMoved(reader.body.hasEnded ? .sent : .partly, isConsumed: isConsumed)
        default: return .requestMoved(reader.body.hasEnded ? .taken : .partly, isConsumed: isConsumed)
        }
    }

    /// Goes on when nobody needs the scratch buffer's contents any more.
    private func goOn(after event: Exchange.Event, _ client: Client) {
        let action = note(event)
        guard action == .none else { return perform(action, client) }
        if client.toApp.mayReceive { carryRequest(client) }
        if client.toClient.mayReceive { carryResponse(client) }
        endIfClientHasFailed(client)
    }

    /// Carries the bytes that have come of the request's body.
    func carryRequest(_ client: Client, appIsReady: Bool = false) {
        guard course.takesRequest, self.client === client, let socket = client.socket, let connection = app.connection
        else { return }
        let before = client.toApp.bytesMoved
        var frame = reader.body
        let outcome = client.toApp.advance(
            from: socket.socket, to: connection.socket.socket, sinkIsReady: appIsReady, in: client.workspace,
            framing: &frame)
        reader.body = consume frame
        reader.keepSurplus()
        let moved = client.toApp.bytesMoved - before
        if moved > 0 {
            client.noteMoved(moved)
            record.lastRequestActivity = client.lastActivity
        }
        let progress: Exchange.RequestProgress = reader.body.hasEnded ? .taken : .partly
        switch outcome {
        case .waiting: tell(.requestMoved(progress, isConsumed: moved > 0), client)
        case .yielded:
            tell(.requestMoved(progress, isConsumed: moved > 0), client)
            client.awaitTurn()
        case .ended:
            let trailers = reader.takeTrailers()
            guard !trailers.isEmpty else { return tell(.requestMoved(.sent, isConsumed: moved > 0), client) }
            tell(deliver(trailers.span, Span(), isConsumed: true, client), client)
        case .invalid: tell(.requestInvalid, client)
        case .finished: tell(.requestCutOff, client)
        case .sourceFailed(let code): tell(.clientFailed(code), client)
        case .sinkFailed(let code):
            // Bytes taken from the client and not sent are gone.
            _ = note(.requestMoved(.partly, isConsumed: moved > 0 || reader.hasBody))
            tell(.appRefusedRequest(code), client)
        }
    }

    /// Gives up what is left of the request, and reads what the app has said before it closed its side.
    func readRestOfResponse(_ client: Client) {
        client.toApp.abandon(in: client.workspace)
        client.toClient.noteSource(.failed)
        carryResponse(client)
    }
}

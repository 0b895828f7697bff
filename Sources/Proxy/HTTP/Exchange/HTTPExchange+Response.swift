internal import EventLoop
internal import HTTP1
internal import Network
internal import Relay
internal import Upstream

/// The way of a response: its head is read and rewritten, head and body are sent to the client.
extension HTTPExchange {
    /// The most that is received where a head is expected, and where memory for what the client may not take is short.
    private static let (headPiece, smallHeadPiece) = (64 << 10, 4 << 10)

    /// The result of a look at the bytes that have come of a head; carried out once nobody needs them.
    private enum ResponseHeadStep {
        case incomplete
        case happened(Exchange.Event)
        case needs(Exchange.Action)
    }

    /// Carries the bytes that have come of the response.
    func carryResponse(_ client: Client, clientIsReady: Bool = false) {
        guard course.isExchanging, self.client === client, app.lifeTimer == nil, let connection = app.connection else {
            return
        }
        if course.isSendingResponse { return carryBody(connection, client, clientIsReady: clientIsReady) }
        // An informational response that the client has not taken comes first.
        if client.toClient.isWaitingForSink {
            guard clientIsReady else { return }
            switch client.flush() {
            case .sinkFailed(let code): return tell(.clientFailed(code), client)
            case .ended: break
            default: return
            }
        }
        readHead(connection, client)
    }

    // MARK: Heads

    private func readHead(_ connection: AppConnection, _ client: Client) {
        while client.toClient.mayReceive {
            let limit = client.workspace.mayPark(Self.headPiece) ? Self.headPiece : Self.smallHeadPiece
            switch client.toClient.receive(from: connection.socket.socket, upTo: limit, in: client.workspace) {
            case .moved(let count):
                client.noteActivity()
                if course.awaitsFirstByte { record.firstByte = client.lastActivity }
                switch client.workspace.withReceived(count, { takeHead($0, connection, client) }) {
                case .incomplete:
                    // A head says so by itself.
                    _ = note(.responseBegan)
                    if client.toClient.isWaitingForSink { return }
                case .needs(let action): return perform(action, client)
                case .happened(let event):
                    let action = note(event)
                    guard action == .none else { return perform(action, client) }
                    return carryBody(connection, client, clientIsReady: false)
                }
            case .wouldBlock:
                if let code = course.appFault { tell(.appEnded(.failed(code)), client) }
                return
            case .endOfStream: return tell(.appEnded(.endOfStream), client)
            case .failed(let code): return tell(.appEnded(.failed(code)), client)
            }
        }
    }

    private func takeHead(_ received: Span<UInt8>, _ connection: AppConnection, _ client: Client) -> ResponseHeadStep {
        guard app.hasBeginningOfHead else { return parse(received, connection, client) }
        var bytes = app.takeBeginningOfHead()
        bytes.append(contentsOf: received)
        return parse(bytes.span, connection, client)
    }

    /// Parses one head behind the other, until there is one that is not informational.
    private func parse(_ bytes: Span<UInt8>, _ connection: AppConnection, _ client: Client) -> ResponseHeadStep {
        var start = 0
        var written = takeOutput()
        while true {
            let rest = bytes.extracting(start...)
            switch app.parse(rest) {
            case .incomplete:
                app.keep(beginningOfHead: rest)
                let outcome = written.isEmpty ? .ended : client.send(head: written.span, Span())
                putBack(output: written)
                if case .sinkFailed(let code) = outcome { return .happened(.clientFailed(code)) }
                return .incomplete
            case .invalid(let fault):
                putBack(output: written)
                return .happened(.responseInvalid(.fault(fault)))
            case .complete(let length):
                let head = app.head
                if head.authenticatesConnection { connection.isOneClients = true }
                switch note(.responseHead(ResponseTerms(head), isLeaving: client.isLeaving)) {
                case .sendHead(let persistence):
                    let event = send(head, rest, then: persistence, behind: &written, client)
                    putBack(output: written)
                    return .happened(event)
                case .sendInterim: head.write(rest, for: forwarding(client, then: .stays), into: &written)
                case .dropInterim: break
                case let action:
                    putBack(output: written)
                    return .needs(action)
                }
                app.expectHead(answering: course.request.method)
                start += length
            }
        }
    }

    private func forwarding(_ client: Client, then persistence: Exchange.Persistence) -> ResponseForwarding {
        let rewriting = clientOrigin.map {
            OriginRewriting(upstreamAuthority: client.http.forwarding.upstreamAuthority, client: $0)
        }
        return ResponseForwarding(
            clientVersion: course.request.version, closes: persistence == .closes, rewriting: rewriting)
    }

    /// Writes and sends the head, and the part of the body that has come with it, in one call.
    /// - Parameter written: the informational heads that go before them.
    /// - Returns: the event for the course.
    private func send(
        _ head: ResponseHead, _ bytes: Span<UInt8>, then persistence: Exchange.Persistence,
        behind written: inout [UInt8], _ client: Client
    ) -> Exchange.Event {
        record.status = head.status
        let forwarding = forwarding(client, then: persistence)
        head.write(bytes, for: forwarding, into: &written)
        guard
            let pass = app.beginBody(
                head.switchesProtocols ? .untilClose : head.framing, as: head.output(for: forwarding), bytes,
                from: head.length, into: &written)
        else { return .responseInvalid(.body) }
        if case .sinkFailed(let code) = client.send(head: written.span, bytes.extracting(pass)) {
            return .clientFailed(code)
        }
        return .responseHeadSent
    }

    // MARK: Bodies

    private func carryBody(_ connection: AppConnection, _ client: Client, clientIsReady: Bool) {
        guard let socket = client.socket else { return }
        if app.body.hasEnded { return responseIsWhole(client) }
        if app.body.isPutInChunks { return carryInChunks(connection, client, clientIsReady: clientIsReady) }
        let before = client.toClient.bytesMoved
        var frame = app.body
        let outcome = client.toClient.advance(
            from: connection.socket.socket, to: socket.socket, sinkIsReady: clientIsReady, in: client.workspace,
            framing: &frame)
        app.body = consume frame
        client.noteMoved(client.toClient.bytesMoved - before)
        switch outcome {
        case .waiting:
            // The app need not wait for a client that is slow to take the end.
            if app.body.hasEnded { responseIsWhole(client) } else { endIfAppIsBroken(client) }
        case .yielded: client.awaitTurn()
        case .ended: responseIsWhole(client)
        case .finished:
            // An end behind a failure only looks like one.
            if course.endsWithAppsConnection, !client.toClient.hasSourceFailed {
                responseEndsWithConnection(client)
            } else {
                tell(.appEnded(.brokenOff), client)
            }
        case .invalid: tell(.responseInvalid(.body), client)
        case .sourceFailed(let code): tell(.appEnded(.failed(code)), client)
        case .sinkFailed(let code): tell(.clientFailed(code), client)
        }
    }

    /// Lets go of the app's connection: the rest is between us and the client.
    private func responseIsWhole(_ client: Client) {
        let isQuiet = course.mayKeepApp && app.isQuiet(client.toClient)
        let isClients = app.connection?.isOneClients ?? false
        tell(.responseWhole(!isQuiet ? .spent : isClients ? .quietAndClients : .quiet), client)
    }

    func release(_ use: Exchange.AppConnectionUse, _ client: Client) {
        guard let connection = app.release() else { return }
        connection.isPrompt = client.toApp.hasPromptSink
        if course.leavesRequest { client.toApp.abandon(in: client.workspace) }
        // Before the rest, which may be the next request of this client. Another client's, which may be served by it before
        // this returns, finds the scratch buffer free.
        switch use {
        case .giveBack: client.route.app.giveBack(connection, at: client.clock.now)
        case .keepForClient: client.keepOwn(connection)
        case .close: break
        }
        if !client.toClient.isWaitingForSink { deliverRest(client) }
    }

    /// Hands over the bytes that the client has not taken yet, and goes on when those are all.
    func deliverRest(_ client: Client) {
        repeat {
            switch client.flush() {
            case .ended: break
            case .sinkFailed(let code): return tell(.clientFailed(code), client)
            default: return
            }
            let trailers = app.takeTrailers()
            if trailers.isEmpty { break }
            if case .sinkFailed(let code) = client.send(body: trailers.span) {
                return tell(.clientFailed(code), client)
            }
        } while true
        tell(.delivered, client)
    }

    // MARK: A body that ends with the app's connection

    /// Goes on where the app's connection has ended, and with it a response without a length. The client has all that came
    /// before. A response is whole where the app has ended its connection, and not where the app's death did.
    private func responseEndsWithConnection(_ client: Client) {
        app.noteLife(client.worker.appLife)
        switch app.lifeAtEnd {
        case nil, .lives, .hasExited:
            app.endBodyWithConnection()
            tell(.appEnded(.endOfStream), client)
        case .wasKilled: tell(.appEnded(.brokenOff), client)
        case .isEnding: askForLifeAgain(since: .now, client)
        }
    }

    /// The interval at which an app is asked how it ends, and the time after which it no longer is. The kernel closes a process's
    /// descriptors moments before it tells of its end.
    private static let (lifeInterval, longestEnding) = (Duration.milliseconds(1), Duration.seconds(2))

    private func askForLifeAgain(since start: MonotonicTime, _ client: Client) {
        do throws(SystemError) {
            // The timer is dropped with the app's connection, which `self` owns and holds until then.
            let timer = try Timer(on: client.workspace.loop) { [unowned self] in
                app.lifeTimer = nil
                guard let client = self.client, let appLife = client.worker.appLife else { return }
                client.clock.beginTurn()
                let life = appLife()
                if case .isEnding = life {
                    if MonotonicTime.now.since(start) < Self.longestEnding {
                        return askForLifeAgain(since: start, client)
                    }
                    return tell(.appEnded(.brokenOff), client)
                }
                app.lifeAtEnd = life
                responseEndsWithConnection(client)
            }
            timer.schedule(after: Self.lifeInterval)
            app.lifeTimer = timer
        } catch {
            tell(.appEnded(.brokenOff), client)
        }
    }

    /// The size of one chunk, and of one where memory for what the client may not take is short. All of it is sent, and parked
    /// if need be, with its framing.
    private static let (chunkPiece, smallChunkPiece) = (64 << 10, 4 << 10)
    /// The most chunks that one turn carries.
    private static let turnChunks = 8

    /// Carries the bytes that have come of a body that is put in chunks, so that the client's connection stays. It does not go through the
    /// copy loop, which passes on bytes as they are.
    private func carryInChunks(_ connection: AppConnection, _ client: Client, clientIsReady: Bool) {
        let toClient = client.toClient
        if toClient.isWaitingForSink {
            guard clientIsReady else { return }
            switch client.flush() {
            case .ended: break
            case .sinkFailed(let code): return tell(.clientFailed(code), client)
            default: return
            }
        }
        for _ in 0..<Self.turnChunks {
            if toClient.hasSourceEnded { return responseEndsWithConnection(client) }
            guard toClient.mayReceive else { return endIfAppIsBroken(client) }
            let limit = client.workspace.mayPark(Self.chunkPiece) ? Self.chunkPiece : Self.smallChunkPiece
            switch toClient.receive(from: connection.socket.socket, upTo: limit, in: client.workspace) {
            case .moved(let count):
                app.noteBody(count)
                switch sendChunk(count, client) {
                case .ended: break
                case .sinkFailed(let code): return tell(.clientFailed(code), client)
                default: return
                }
            case .wouldBlock: return endIfAppIsBroken(client)
            // Only a failure that was told before makes an end none: the body is not known to be whole.
            case .endOfStream: if !toClient.hasSourceEnded { return tell(.appEnded(.brokenOff), client) }
            case .failed(let code): return tell(.appEnded(.failed(code)), client)
            }
        }
        client.awaitTurn()
    }

    /// Sends the bytes that were received last as a chunk.
    private func sendChunk(_ count: Int, _ client: Client) -> HalfDuplex.Outcome {
        var beginning = takeOutput()
        Chunk.begin(count, into: &beginning)
        let end = Chunk.end
        let outcome = client.workspace.withReceived(count, followedBy: end.span) {
            client.send(body: beginning.span, $0)
        }
        putBack(output: beginning)
        return outcome
    }

    // MARK: The relay

    /// Makes a relay of the two connections after 101 (Switching Protocols).
    func relay(_ client: Client) {
        guard let connection = app.connection else { return }
        // The client's words that did not wait for the switch.
        let fault: SocketFailure? = reader.useInput { bytes in
            guard !bytes.isEmpty else { return (0, nil) }
            let outcome = client.toApp.deliver(bytes, Span(), to: connection.socket.socket, in: client.workspace)
            if case .sinkFailed(let code) = outcome { return (bytes.count, code) }
            return (bytes.count, nil)
        }
        if let fault { return tell(.appRefusedRequest(fault), client) }
        app.release()
        client.relay(self, with: connection)
    }
}

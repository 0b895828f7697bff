internal import EventLoop
internal import HTTP1
internal import Network
internal import Relay
internal import Upstream

/// The way of an answer: its head is read and rewritten, head and body are sent to the client.
extension HTTPSession {
    /// How much is received where an answer is expected, and where memory for what the client may not take is short.
    private static let (answerPiece, smallAnswerPiece) = (64 << 10, 4 << 10)

    private enum AnswerStep {
        /// More of a head is to come.
        case incomplete
        /// The head is on its way, and what has come of the body.
        case begun
        /// From now on it is a relay.
        case switched
        /// It is no answer, or nobody is there to get it.
        case over
    }

    /// Carries what has come of the answer.
    func carryAnswer(clientIsReady: Bool = false) {
        guard case .exchanging(let exchange, let connection) = state, appLifeTimer == nil else { return }
        if exchange.isAnswering {
            carryBody(exchange, connection, clientIsReady: clientIsReady)
        } else {
            // An informational response that the client has not taken comes first.
            if toClient.isWaitingForSink {
                guard clientIsReady, let socket else { return }
                switch toClient.flush(to: socket.socket, in: workspace) {
                case .sinkFailed(let code): return clientFailed(code)
                case .ended: break
                default: return
                }
            }
            readAnswer(exchange, connection)
        }
    }

    // MARK: Heads

    private func readAnswer(_ exchange: HTTPExchange, _ connection: AppConnection) {
        while toClient.mayReceive {
            let limit = workspace.mayPark(Self.answerPiece) ? Self.answerPiece : Self.smallAnswerPiece
            switch toClient.receive(from: connection.socket.socket, upTo: limit, in: workspace) {
            case .moved(let count):
                lastActivity = clock.now
                if !exchange.hasAnswerBegun {
                    exchange.hasAnswerBegun = true
                    exchange.times.firstByte = lastActivity
                }
                switch workspace.withReceived(count, { takeAnswer($0, exchange, connection) }) {
                case .incomplete: if toClient.isWaitingForSink { return }
                case .begun: return carryBody(exchange, connection, clientIsReady: false)
                case .switched: return relay(exchange, connection)
                case .over: return
                }
            case .wouldBlock:
                if exchange.isAppBroken { appHasGone(exchange, connection) }
                return
            case .endOfStream, .failed: return appHasGone(exchange, connection)
            }
        }
    }

    private func takeAnswer(
        _ received: Span<UInt8>, _ exchange: HTTPExchange, _ connection: AppConnection
    ) -> AnswerStep {
        guard exchange.hasPartOfAnswer else { return parse(received, exchange, connection) }
        var bytes = exchange.takeAnswer()
        bytes.append(contentsOf: received)
        return parse(bytes.span, exchange, connection)
    }

    /// Parses one head behind the other, until there is one that is not informational.
    private func parse(_ bytes: Span<UInt8>, _ exchange: HTTPExchange, _ connection: AppConnection) -> AnswerStep {
        var start = 0
        var output = exchange.takeOutput()
        while true {
            let rest = bytes.extracting(start...)
            switch exchange.responseParser.parse(rest) {
            case .incomplete:
                exchange.keep(answer: rest)
                return sendInterim(output, exchange) ? .incomplete : .over
            case .invalid(let fault):
                exchange.putBack(output: output)
                fail(.invalidAnswer(http.appName, fault.explanation), .invalidAnswer, exchange)
                return .over
            case .complete(let length):
                let head = exchange.responseParser.head
                if head.authenticatesConnection { connection.isOneClients = true }
                guard head.isInformational else { return begin(head, rest, &output, exchange, connection) }
                if exchange.version != .http10 { head.write(rest, for: forwarding(exchange), into: &output) }
                exchange.responseParser.reset(answering: exchange.method)
                start += length
            }
        }
    }

    /// - Returns: whether the client is still there.
    private func sendInterim(_ output: [UInt8], _ exchange: HTTPExchange) -> Bool {
        var outcome = HalfDuplex.Outcome.ended
        if !output.isEmpty, let socket {
            outcome = toClient.deliver(output.span, Span(), to: socket.socket, in: workspace)
        }
        exchange.putBack(output: output)
        if case .sinkFailed(let code) = outcome {
            clientFailed(code)
            return false
        }
        return true
    }

    private func forwarding(_ exchange: HTTPExchange) -> ResponseForwarding {
        let rewriting = exchange.clientOrigin.map {
            OriginRewriting(upstreamAuthority: http.forwarding.upstreamAuthority, client: $0)
        }
        return ResponseForwarding(clientVersion: exchange.version, closes: exchange.closes, rewriting: rewriting)
    }

    /// Sends the head, and what of the body has come with it, in one call.
    /// - Parameter output: what goes before them; put back when this returns.
    private func begin(
        _ head: ResponseHead, _ bytes: Span<UInt8>, _ output: inout [UInt8], _ exchange: HTTPExchange,
        _ connection: AppConnection
    ) -> AnswerStep {
        guard let socket else { return .over }
        if head.switchesProtocols, !exchange.asksForWebSocket || !isRequestSent(exchange) {
            let page = ErrorPage.invalidAnswer(http.appName, "It switches the protocol, which nobody has asked for.")
            exchange.putBack(output: output)
            fail(page, .invalidAnswer, exchange)
            return .over
        }
        exchange.closes = exchange.requestParser.head.closes(after: head) || !isRequestSent(exchange) || isLeaving
        exchange.status = head.status
        exchange.appKeepsAlive = head.keepsAlive
        let forwarding = forwarding(exchange)
        head.write(bytes, for: forwarding, into: &output)
        guard
            let (pass, next) = exchange.beginAnswerBody(
                head.switchesProtocols ? .untilClose : head.framing, as: head.output(for: forwarding), bytes,
                from: head.length, into: &output)
        else {
            exchange.putBack(output: output)
            fail(.invalidAnswer(http.appName, "Its body is no valid chunked body."), .invalidAnswer, exchange)
            return .over
        }
        // What nobody has asked for is an answer to nothing.
        if next < bytes.count { exchange.appKeepsAlive = false }
        exchange.isAnswering = true
        let outcome = toClient.deliver(output.span, bytes.extracting(pass), to: socket.socket, in: workspace)
        exchange.putBack(output: output)
        if case .sinkFailed(let code) = outcome {
            clientFailed(code)
            return .over
        }
        return head.switchesProtocols ? .switched : .begun
    }

    // MARK: Bodies

    private func carryBody(_ exchange: HTTPExchange, _ connection: AppConnection, clientIsReady: Bool) {
        guard let socket else { return }
        if exchange.isAnswerWhole { return delivers(exchange, after: connection) }
        if exchange.responseBody.isPutInChunks {
            return carryInChunks(exchange, connection, clientIsReady: clientIsReady)
        }
        let before = toClient.bytesMoved
        let outcome = toClient.advance(
            from: connection.socket.socket, to: socket.socket, sinkIsReady: clientIsReady, in: workspace,
            framing: &exchange.responseBody)
        exchange.noteAnswerProgress()
        noteMoved(toClient.bytesMoved - before)
        switch outcome {
        case .waiting:
            // The app need not wait for a client that is slow to take the end.
            if exchange.isAnswerWhole {
                delivers(exchange, after: connection)
            } else {
                endIfAppIsBroken(exchange)
            }
        case .yielded: awaitTurn()
        case .ended: delivers(exchange, after: connection)
        case .finished:
            // An end behind a failure only looks like one.
            if exchange.responseBody.endsWithConnection, !toClient.hasSourceFailed {
                answerEndsWithConnection(exchange, connection)
            } else {
                breakOff(.answerCutOff)
            }
        case .invalid: breakOff(.invalidAnswer)
        case .sourceFailed(let code): breakOff(.appFailed(code))
        case .sinkFailed(let code): clientFailed(code)
        }
    }

    /// The app has said everything; the rest is between us and the client.
    func delivers(_ exchange: HTTPExchange, after connection: AppConnection) {
        state = .delivering(exchange)
        let mayBeReused = mayBeReused(connection, after: exchange)
        connection.socket.onReady = nil
        connection.isPrompt = toApp.hasPromptSink
        if !isRequestSent(exchange) {
            exchange.isRequestAbandoned = true
            toApp.abandon(in: workspace)
        }
        // Before the rest, which may be the next request of this client. Another client's, which may be served by it before
        // this returns, finds the scratch buffer free.
        if mayBeReused {
            if connection.isOneClients {
                keepOwn(connection, after: exchange)
            } else {
                route.app.giveBack(connection, at: clock.now)
            }
        }
        if !toClient.isWaitingForSink { deliverRest(exchange) }
    }

    /// Whether both directions of the app's connection are between two messages.
    private func mayBeReused(_ connection: AppConnection, after exchange: HTTPExchange) -> Bool {
        guard exchange.appKeepsAlive, isRequestSent(exchange), !toClient.isSourceEnding else { return false }
        return !toClient.mayReceive || connection.socket.socket.idleState == .quiet
    }

    /// Hands over what the client has not taken yet, and goes on when that is all.
    func deliverRest(_ exchange: HTTPExchange) {
        guard let socket else { return }
        repeat {
            let before = toClient.bytesMoved
            let outcome = toClient.flush(to: socket.socket, in: workspace)
            noteMoved(toClient.bytesMoved - before)
            switch outcome {
            case .ended: break
            case .sinkFailed(let code): return clientFailed(code)
            default: return
            }
            let trailers = exchange.takeTrailers()
            if trailers.isEmpty { break }
            if case .sinkFailed(let code) = toClient.deliver(trailers.span, Span(), to: socket.socket, in: workspace) {
                return clientFailed(code)
            }
        } while true
        requestEnded(exchange, exchange.failure ?? .finished)
        if exchange.closes { close(exchange) } else { nextRequest(after: exchange) }
    }

    // MARK: What goes wrong

    /// Ends the exchange where the app's connection is broken and everything that it had said is on its way.
    func endIfAppIsBroken(_ exchange: HTTPExchange) {
        guard let code = exchange.appSendFault, exchange.isAppBroken, !toClient.isWaitingForSink else { return }
        breakOff(.appFailed(code))
    }

    /// The app's connection has ended before an answer began, or in the middle of its head.
    private func appHasGone(_ exchange: HTTPExchange, _ connection: AppConnection) {
        let mayTryAgain =
            connection.isReused && !exchange.hasAnswerBegun && !exchange.hasConsumedBody && !exchange.wasRetried
            && exchange.method.isIdempotent
        guard mayTryAgain else { return fail(.noAnswer(http.appName), .noAnswer, exchange) }
        // The app may know the client by the connection that has gone.
        guard !exchange.isOnOwnConnection else { return endUnanswered(exchange, connection) }
        exchange.wasRetried = true
        exchange.isRequestAbandoned = false
        connection.socket.onReady = nil
        // It may be there still, and has a part of a request.
        connection.socket.socket.resetWhenClosed()
        toApp.abandon(in: workspace)
        askForApp(exchange)
    }
}

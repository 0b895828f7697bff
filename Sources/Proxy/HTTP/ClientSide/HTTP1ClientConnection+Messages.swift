internal import Access
internal import EventLoop
internal import HTTP1
internal import Memory
internal import Network
internal import Relay
internal import Upstream

/// Reads requests' heads, and writes what goes to the client.
extension HTTP1ClientConnection {
    /// The most that is received where a head is expected: enough for any usual one, and for a small body.
    private static let headPiece = 16 << 10

    // MARK: Heads of requests

    /// Reads from the client as long as nothing of a request is there, or a part of its head.
    func readHead() {
        while toApp.mayReceive, let socket {
            switch toApp.receive(from: socket.socket, upTo: Self.headPiece, in: workspace) {
            case .moved(let count):
                noteActivity()
                guard let exchange = beginReading() else { return abort(.refused(.memoryShort)) }
                let step = workspace.withReceived(count) { takeHead($0, exchange) }
                if case .incomplete = step { continue }
                return exchange.goOn(after: step, self)
            case .wouldBlock: return
            case .endOfStream:
                guard case .serving(let exchange) = state else { return end() }
                return exchange.tell(.clientLeft, self)
            case .failed(let code):
                guard case .serving(let exchange) = state else { return idleClientFailed(code) }
                return exchange.tell(.clientFailed(code), self)
            }
        }
    }

    /// - Returns: nil where there is no memory for one more exchange.
    private func beginReading() -> HTTPExchange? {
        if case .serving(let exchange) = state { return exchange }
        if http.hasNoIdleExchange, !worker.memory.take(MemoryCost.exchange, for: .client) { return nil }
        let exchange = http.takeExchange()
        exchange.begin(for: self, at: clock.now)
        state = .serving(exchange)
        return exchange
    }

    /// Looks at bytes that have just come, where they lie if the head is whole.
    private func takeHead(_ received: Span<UInt8>, _ exchange: HTTPExchange) -> HTTPExchange.RequestHeadStep {
        guard !exchange.reader.hasInput else {
            guard keep(received, exchange) else { return .needs(exchange.note(.aborted(.memoryShort))) }
            return exchange.reader.useInput { parse($0, exchange) }
        }
        let (used, step) = parse(received, exchange)
        if used < received.count, !keep(received.extracting(used...), exchange) {
            return .needs(exchange.note(.aborted(.memoryShort)))
        }
        return step
    }

    /// Keeps bytes that must outlive the read.
    /// - Returns: false where there is no memory for it.
    private func keep(_ received: Span<UInt8>, _ exchange: HTTPExchange) -> Bool {
        // A buffer that grows is copied into one of twice the size.
        guard worker.memory.take(2 * received.count, for: .client) else { return false }
        exchange.reader.append(input: received)
        return true
    }

    private func parse(_ bytes: Span<UInt8>, _ exchange: HTTPExchange) -> (used: Int, HTTPExchange.RequestHeadStep) {
        switch exchange.reader.parse(bytes) {
        case .incomplete: return (0, .incomplete)
        case .invalid(let fault):
            requests += 1
            return (bytes.count, .needs(exchange.headIsInvalid(fault, bytes, self)))
        case .complete:
            requests += 1
            return exchange.headIsWhole(bytes, self)
        }
    }

    private func nextRequest(after exchange: HTTPExchange) {
        toApp.beginStream()
        toClient.beginStream()
        if exchange.reader.hasInput {
            exchange.begin(for: self, at: clock.now)
            let step = exchange.reader.useInput { parse($0, exchange) }
            guard case .incomplete = step else { return exchange.goOn(after: step, self) }
        } else {
            http.giveBack(exchange)
            state = .idle
            since = clock.now
        }
        if toApp.mayReceive { readHead() } else if isLeaving, case .idle = state { end() }
    }

    // MARK: Responses

    /// Sends a response's head, and the bytes that follow it at once: the only function that sends one, be it the app's or ours.
    func send(head: Span<UInt8>, _ bytes: Span<UInt8>) -> HalfDuplex.Outcome {
        guard let socket else { return .waiting }
        return toClient.deliver(head, bytes, to: socket.socket, in: workspace)
    }

    /// Sends a part of a response's body that is not carried as it is.
    func send(body first: Span<UInt8>, _ second: Span<UInt8> = Span()) -> HalfDuplex.Outcome {
        guard let socket else { return .waiting }
        let before = toClient.bytesMoved
        let outcome = toClient.deliver(first, second, to: socket.socket, in: workspace)
        noteMoved(toClient.bytesMoved - before)
        return outcome
    }

    /// Hands over the bytes that the client has not taken yet.
    func flush() -> HalfDuplex.Outcome {
        guard let socket else { return .waiting }
        let before = toClient.bytesMoved
        let outcome = toClient.flush(to: socket.socket, in: workspace)
        noteMoved(toClient.bytesMoved - before)
        return outcome
    }

    // MARK: Behind a response

    /// Goes on once the client has all of a response and the request has been written down.
    func goOn(_ next: Exchange.Next, after exchange: HTTPExchange) {
        switch next {
        case .request: nextRequest(after: exchange)
        case .close: close(after: exchange, hasMore: false, isCutOff: false)
        case .linger: close(after: exchange, hasMore: true, isCutOff: false)
        case .cutOff: close(after: exchange, hasMore: true, isCutOff: true)
        }
    }

    /// Ends the client's connection.
    /// - Parameter hasMore: whether the client may still send a part of its request.
    private func close(after exchange: HTTPExchange, hasMore: Bool, isCutOff: Bool) {
        let mayHaveMore = hasMore || toApp.mayReceive || exchange.reader.hasInput
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

    /// The most reads, and bytes in each, that one turn throws away.
    private static let (discardedReads, discardedPiece) = (16, 64 << 10)

    /// Throws away the client's bytes.
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
}

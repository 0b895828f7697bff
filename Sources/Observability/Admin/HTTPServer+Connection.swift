internal import EventLoop
internal import HTTP1
internal import Network

extension HTTPServer {
    /// One client's connection: a request, its answer, and the next request.
    ///
    /// Kept by its server until it has ended; the descriptor is closed with it.
    final class Connection {
        private enum State {
            /// Takes in a request's head.
            case receiving
            /// The handler has the request, and will answer it.
            case waiting
            case sending(head: [UInt8], body: [UInt8], sent: Int)
            /// The end has been sent. What still comes is thrown away: closing with unread bytes would be a reset, which may
            /// overtake the answer.
            case lingering(discarded: Int)
            case ended
        }

        /// The time limit for a client to send a request, from the connection's beginning or the previous response.
        private static let receivingLimit = Duration.seconds(15)
        /// The time limits for making a response, and for the client to take it.
        private static let waitingLimit = Duration.seconds(30)
        private static let sendingLimit = Duration.seconds(15)
        private static let lingeringLimit = Duration.seconds(2)
        private static let mostDiscarded = 1 << 20
        private static let limits = HeadLimits(headBytes: 16 << 10)
        /// The number of steps before others on the loop have their turn.
        private static let stepsOfATurn = 64

        private let watched: WatchedSocket
        private let peer: String
        /// Outlives the use that is made of it: its end calls ``abandon()``, and a connection that has ended asks it nothing.
        private unowned let server: HTTPServer
        private var state = State.receiving
        private(set) var deadline: MonotonicTime
        /// The bytes that have come and have not been answered.
        private var input: [UInt8] = []
        private var parser = RequestParser(limits: Connection.limits)
        /// The socket may have something to be read: that is told once, so it is remembered until a read finds nothing.
        private var mayReceive = true
        /// The connection ends with the answer that is being made.
        private var endsWithAnswer = false
        /// The answer that is being made is to be its head alone.
        private var wantsHeadOnly = false
        private var speaksHTTP10 = false
        private var isAdvancing = false

        /// - Throws: ``SystemError`` when the system has no room to watch the socket; it is reset then.
        init(_ socket: consuming Socket, from peer: SocketAddress, of server: HTTPServer) throws(SystemError) {
            watched = try WatchedSocket(socket, on: server.loop)
            self.peer = peer.ipAddress?.description ?? ""
            self.server = server
            deadline = MonotonicTime.coarse.advanced(by: Self.receivingLimit)
            // Our own socket: it is silent once we are gone.
            watched.onReady = { [unowned self] in ready($0) }
        }

        private func ready(_ readiness: IOEvent.Readiness) {
            if readiness.contains(.failed), case .waiting = state { return end() }
            if !readiness.isDisjoint(with: [.readable, .endOfStream, .failed]) { mayReceive = true }
            advance()
        }

        /// Does what can be done now.
        func advance() {
            // From within a handler that answers at once: whoever called it goes on.
            guard !isAdvancing else { return }
            isAdvancing = true
            defer { isAdvancing = false }
            for _ in 0..<Self.stepsOfATurn {
                guard step() else { return }
            }
            server.loop.onNextTurn { [weak self] in self?.advance() }
        }

        /// - Returns: whether there is more to be done now.
        private func step() -> Bool {
            switch state {
            case .receiving: takeRequest() || receive()
            case .sending(let head, let body, let sent): send(head, body, sent)
            case .lingering(let discarded): discard(discarded)
            case .waiting, .ended: false
            }
        }

        private func enter(_ state: State, for limit: Duration) {
            self.state = state
            deadline = MonotonicTime.coarse.advanced(by: limit)
        }

        /// Ends it where it has let its time pass.
        func checkDeadline(_ now: MonotonicTime) {
            if now.since(deadline) > .zero { end() }
        }

        /// The server ends, and closes it.
        func abandon() {
            state = .ended
            watched.onReady = nil
        }

        /// Whether nothing of a request has come since the beginning or the answer before.
        var isIdle: Bool {
            if case .receiving = state { input.isEmpty && !mayReceive } else { false }
        }

        func end() {
            if case .ended = state { return }
            state = .ended
            server.ended(self)
        }

        // MARK: Requests

        /// - Returns: whether a request was taken in, or refused.
        private func takeRequest() -> Bool {
            guard !input.isEmpty else { return false }
            switch parser.parse(input.span) {
            case .incomplete: return false
            case .invalid(let fault):
                endsWithAnswer = true
                wantsHeadOnly = false
                enter(.waiting, for: Self.waitingLimit)
                answer(Response(fault.status, fault.explanation))
            case .complete(let length):
                let head = parser.head
                let request = Request(head, input, from: peer)
                input.removeFirst(length)
                parser.reset()
                speaksHTTP10 = head.version == .http10
                // A body is not read, so that the next request cannot be found.
                endsWithAnswer = !head.keepsAlive || head.framing != .none
                wantsHeadOnly = head.method == .head
                enter(.waiting, for: Self.waitingLimit)
                let responder = Responder(self)
                switch head.method {
                case .get, .head: server.handler(request, responder)
                default:
                    responder.answer(
                        Response(405, "only GET and HEAD are answered here", fields: [("Allow", "GET, HEAD")]))
                }
            }
            return true
        }

        /// - Returns: whether something has come.
        private func receive() -> Bool {
            guard mayReceive else { return false }
            switch watched.socket.receive(appendingTo: &input) {
            case .moved: return true
            case .wouldBlock: mayReceive = false
            case .endOfStream, .failed: end()
            }
            return false
        }

        // MARK: Answers

        /// Answers the request that was taken in last.
        func answer(_ response: Response) {
            guard case .waiting = state else { return }
            let connection = endsWithAnswer ? "close" : speaksHTTP10 ? "keep-alive" : nil
            enter(
                .sending(
                    head: response.head(server.fields, connection: connection),
                    body: wantsHeadOnly ? [] : response.body, sent: 0), for: Self.sendingLimit)
            advance()
        }

        /// - Returns: whether all was sent.
        private func send(_ head: [UInt8], _ body: [UInt8], _ sent: Int) -> Bool {
            var sent = sent
            while sent < head.count + body.count {
                switch watched.socket.send(head, body, from: sent) {
                case .moved(let count): sent += count
                case .wouldBlock:
                    state = .sending(head: head, body: body, sent: sent)
                    return false
                case .endOfStream, .failed:
                    end()
                    return false
                }
            }
            if endsWithAnswer {
                watched.socket.finishSending()
                enter(.lingering(discarded: 0), for: Self.lingeringLimit)
            } else {
                enter(.receiving, for: Self.receivingLimit)
            }
            return true
        }

        /// - Returns: whether there may be more to be thrown away.
        private func discard(_ discarded: Int) -> Bool {
            guard mayReceive else { return false }
            input.removeAll(keepingCapacity: true)
            switch watched.socket.receive(appendingTo: &input) {
            case .moved(let count) where discarded + count <= Self.mostDiscarded:
                state = .lingering(discarded: discarded + count)
                return true
            case .wouldBlock: mayReceive = false
            case .moved, .endOfStream, .failed: end()
            }
            return false
        }
    }
}

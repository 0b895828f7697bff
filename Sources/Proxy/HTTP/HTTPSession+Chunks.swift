internal import EventLoop
internal import HTTP1
internal import Network
internal import Relay
internal import Upstream

/// A body that ends with the app's connection is put in chunks, so that the client's connection stays.
extension HTTPSession {
    /// How much becomes one chunk, and where memory for what the client may not take is short. All of it is sent, and parked
    /// if need be, with its framing.
    private static let (chunkPiece, smallChunkPiece) = (64 << 10, 4 << 10)
    /// How many chunks one turn may carry.
    private static let turnChunks = 8

    /// Carries what has come of the body. It does not go through the copy loop, which passes on bytes as they are.
    func carryInChunks(_ exchange: HTTPExchange, _ connection: AppConnection, clientIsReady: Bool) {
        guard let socket else { return }
        if toClient.isWaitingForSink {
            guard clientIsReady else { return }
            let before = toClient.bytesMoved
            let outcome = toClient.flush(to: socket.socket, in: workspace)
            noteMoved(toClient.bytesMoved - before)
            switch outcome {
            case .ended: break
            case .sinkFailed(let code): return clientFailed(code)
            default: return
            }
        }
        for _ in 0..<Self.turnChunks {
            if toClient.hasSourceEnded { return answerEndsWithConnection(exchange, connection) }
            guard toClient.mayReceive else { return endIfAppIsBroken(exchange) }
            let limit = workspace.mayPark(Self.chunkPiece) ? Self.chunkPiece : Self.smallChunkPiece
            switch toClient.receive(from: connection.socket.socket, upTo: limit, in: workspace) {
            case .moved(let count):
                exchange.responseBody.advance(by: UInt64(count))
                exchange.noteAnswerProgress()
                switch sendChunk(count, exchange, to: socket) {
                case .ended: break
                case .sinkFailed(let code): return clientFailed(code)
                default: return
                }
            case .wouldBlock: return endIfAppIsBroken(exchange)
            // Only a failure that was told before makes an end none: the body is not known to be whole.
            case .endOfStream: if !toClient.hasSourceEnded { return breakOff(.answerCutOff) }
            case .failed(let code): return breakOff(.appFailed(code))
            }
        }
        awaitTurn()
    }

    /// Sends as a chunk what was received last.
    private func sendChunk(_ count: Int, _ exchange: HTTPExchange, to socket: WatchedSocket) -> HalfDuplex.Outcome {
        var beginning = exchange.takeOutput()
        Chunk.begin(count, into: &beginning)
        let end = Chunk.end
        let before = toClient.bytesMoved
        let outcome = workspace.withReceived(count, followedBy: end.span) {
            toClient.deliver(beginning.span, $0, to: socket.socket, in: workspace)
        }
        exchange.putBack(output: beginning)
        noteMoved(toClient.bytesMoved - before)
        return outcome
    }
}

internal import EventLoop
internal import HTTP1
internal import Relay
internal import Upstream

/// An answer without a length is whole where the app has ended its connection, and not where the app's death did.
extension HTTPSession {
    /// How often, and for how long, to ask how an app ends. The kernel closes a process's descriptors moments before it
    /// tells of its end.
    private static let (interval, longest) = (Duration.milliseconds(1), Duration.seconds(2))

    /// Notes whether the app lived when its end of the connection was told: the client may take much longer for the rest.
    func noteAppLife(_ exchange: HTTPExchange) {
        guard let appLife = worker.appLife, exchange.appLifeAtEnd == nil else { return }
        exchange.appLifeAtEnd = appLife()
    }

    /// The app's connection has ended, and with it an answer without a length. The client has all that came before.
    func answerEndsWithConnection(_ exchange: HTTPExchange, _ connection: AppConnection) {
        noteAppLife(exchange)
        switch exchange.appLifeAtEnd {
        case nil, .lives, .hasExited:
            if exchange.responseBody.isPutInChunks {
                exchange.responseBody.endWithConnection()
                exchange.noteAnswerProgress()
            }
            delivers(exchange, after: connection)
        case .wasKilled: breakOff(.answerCutOff)
        case .isEnding: askAgain(since: .now)
        }
    }

    private func askAgain(since start: MonotonicTime) {
        do throws(SystemError) {
            let timer = try Timer(on: workspace.loop) { [unowned self] in
                appLifeTimer = nil
                clock.beginTurn()
                guard case .exchanging(let exchange, let connection) = state, let appLife = worker.appLife else {
                    return
                }
                let life = appLife()
                if case .isEnding = life {
                    if MonotonicTime.now.since(start) < Self.longest { return askAgain(since: start) }
                    return breakOff(.answerCutOff)
                }
                exchange.appLifeAtEnd = life
                answerEndsWithConnection(exchange, connection)
            }
            timer.schedule(after: Self.interval)
            appLifeTimer = timer
        } catch {
            breakOff(.answerCutOff)
        }
    }
}

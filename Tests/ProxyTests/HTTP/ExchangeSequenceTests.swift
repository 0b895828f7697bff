import HTTP1
import TestSupport
import Testing

@testable import Proxy

/// What holds of every exchange, whatever happens to it and in whichever order.
@Suite(.timeLimit(.minutes(2))) struct ExchangeSequenceTests {
    /// What has happened to an exchange and what it has had done.
    private struct History {
        var exchange = Exchange()
        var terms = RequestTerms()
        var kind = Exchange.AppConnectionKind.new
        var isConsumed = false
        var isSent = false
        var hasResponseBegun = false
        var responseTerms: ResponseTerms?
        var heads = 0
        var pages = 0
        var retries = 0
        var releases = 0
        var relays = 0
        var ends = 0

        /// - Returns: what is wrong with what the exchange does about an event.
        mutating func take(_ event: Exchange.Event) -> String? {
            let before = exchange
            let action = exchange.on(event)
            if case .over = before.phase {
                return action == .none && exchange == before ? nil : "\(action) after the end"
            }
            // What an exchange ignores has not happened to it.
            if action != .none || exchange != before { note(event, in: before) }
            return fault(of: action)
        }

        private mutating func note(_ event: Exchange.Event, in before: Exchange) {
            switch event {
            case .headCompleted(let terms, _): self.terms = terms
            case .appConnected(let kind): (self.kind, isSent) = (kind, false)
            case .requestMoved(let progress, let isConsumed):
                if isConsumed { self.isConsumed = true }
                if progress == .sent { isSent = true }
            case .responseBegan: hasResponseBegun = true
            case .responseHead(let terms, _):
                hasResponseBegun = true
                if !terms.isInformational { responseTerms = terms }
            default: break
            }
        }

        private mutating func fault(of action: Exchange.Action) -> String? {
            switch action {
            case .none, .askPassword, .findApp, .sendRequest, .sendRequestAgain, .readResponse, .dropInterim: return nil
            case .sendInterim: return terms.version == .http10 ? "an informational response to HTTP/1.0" : nil
            case .sendHead:
                heads += 1
                return heads + pages > 1 ? "a second response" : nil
            case .sendPage:
                // The head that was made ready has not gone.
                if case .delivering = exchange.phase, heads == 1, !hasSentHead { heads = 0 }
                pages += 1
                return heads + pages > 1 ? "a second response" : nil
            case .findOtherApp:
                retries += 1
                if retries > 1 { return "a second retry" }
                if isConsumed { return "a retry of what was taken from the client" }
                if hasResponseBegun { return "a retry after a byte of the response" }
                if !terms.method.isIdempotent { return "a retry of \(terms.method)" }
                return kind == .kept ? nil : "a retry on a connection that is \(kind)"
            case .release(let use):
                releases += 1
                if releases > 1 { return "the app's connection let go twice" }
                if use != .close, !isSent { return "a connection used again in the middle of a request" }
                if use != .close, responseTerms?.keepsAlive != true { return "a connection used again that ends" }
                return use != .close && !hasSentHead ? "a connection used again without a response" : nil
            case .relay:
                relays += 1
                return terms.upgrade == .webSocket && isSent ? nil : "a relay that nobody has asked for"
            case .finish(let next, _):
                ends += 1
                if next == .request, !isSent || !terms.keepsAlive || pages > 0 { return "another request" }
                return ends > 1 ? "a second end" : nil
            case .cutOff: return hasSentHead ? nil : "a response cut off that has not begun"
            case .reset, .resetAtOnce, .leave:
                ends += 1
                return ends > 1 ? "a second end" : nil
            }
        }

        private var hasSentHead = false

        mutating func noteHead(_ event: Exchange.Event, _ phase: Exchange.Phase) {
            if case .responseHeadSent = event, case .exchanging(_, .ready) = phase { hasSentHead = true }
        }

        /// - Returns: what is wrong with an exchange that has all the time in the world.
        mutating func endFault() -> String? {
            if case .switched = exchange.phase { return nil }
            _ = exchange.on(.aborted(.drained))
            if case .over = exchange.phase { return nil }
            return "it cannot be ended in \(exchange.phase)"
        }
    }

    @Test func nothingHappensTwiceOrTooLate() throws {
        let events = ExchangeSamples.events
        // A walk that mostly does what makes sense gets further than one that does not.
        let usual: [Exchange.Event] = [
            .headCompleted(RequestTerms(method: .get, keepsAlive: true), .granted), .appConnected(.kept),
            .requestMoved(.sent, isConsumed: false), .responseBegan,
            .responseHead(ResponseTerms(status: 200, framing: .length(5), keepsAlive: true), isLeaving: false),
            .responseHeadSent, .responseWhole(.quiet), .delivered,
        ]
        try checkRandomSequences(
            count: 20_000,
            generate: { random in
                var step = 0
                return (0..<Int.random(in: 1...24, using: &random)).map { _ in
                    guard random.chance(3, in: 5), step < usual.count else { return random.one(of: events) }
                    step += 1
                    return usual[step - 1]
                }
            },
            run: { events in
                var history = History()
                for event in events {
                    history.noteHead(event, history.exchange.phase)
                    if let fault = history.take(event) { return fault }
                }
                return history.endFault()
            })
    }
}

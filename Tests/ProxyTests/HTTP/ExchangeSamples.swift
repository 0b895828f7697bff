import Glibc
import HTTP1
import Network

@testable import Proxy

/// Events of every kind and with every payload that makes a difference, to try an exchange with.
enum ExchangeSamples {
    static let requests: [RequestTerms] = [
        RequestTerms(method: .get, keepsAlive: true),
        RequestTerms(method: .get, keepsAlive: false),
        RequestTerms(method: .post, keepsAlive: true),
        RequestTerms(method: .put, keepsAlive: true),
        RequestTerms(method: .get, version: .http10, keepsAlive: true),
        RequestTerms(method: .get, upgrade: .webSocket, keepsAlive: true),
    ]

    static let responses: [ResponseTerms] = [
        ResponseTerms(status: 100, framing: .none, keepsAlive: true),
        ResponseTerms(status: 101, framing: .none, keepsAlive: false),
        ResponseTerms(status: 200, framing: .length(5), keepsAlive: true),
        ResponseTerms(status: 200, framing: .chunked, keepsAlive: true),
        ResponseTerms(status: 200, framing: .untilClose, keepsAlive: false),
        ResponseTerms(status: 204, framing: .none, keepsAlive: false),
    ]

    static var events: [Exchange.Event] {
        var events: [Exchange.Event] = []
        for terms in requests { events.append(.headCompleted(terms, .granted)) }
        events += [
            .headCompleted(requests[0], .unknown), .headCompleted(requests[0], .refused(.unauthorized)),
            .headRefused(.other, .invalidHead(.missingHost)), .headRefused(.get, .headTimeout),
            .passwordChecked(isRight: true), .passwordChecked(isRight: false), .passwordRefused(.tooManyPasswords),
            .appConnected(.new), .appConnected(.kept), .appConnected(.clientsOwn), .appUnavailable(.appNotListening),
        ]
        for progress in [Exchange.RequestProgress.partly, .taken, .sent] {
            events += [
                .requestMoved(progress, isConsumed: false), .requestMoved(progress, isConsumed: true),
            ]
        }
        events += [
            .requestInvalid, .requestCutOff, .appRefusedRequest(.system(EPIPE)),
            .appRefusedRequest(.system(ECONNRESET)),
        ]
        events.append(.responseBegan)
        for terms in responses {
            events += [.responseHead(terms, isLeaving: false), .responseHead(terms, isLeaving: true)]
        }
        events += [
            .responseHeadSent, .responseInvalid(.body), .responseInvalid(.fault(.notHTTP)), .responseWhole(.quiet),
            .responseWhole(.quietAndClients), .responseWhole(.spent), .appEnded(.endOfStream),
            .appEnded(.failed(.system(ECONNRESET))), .appEnded(.brokenOff), .delivered, .clientLeft,
            .clientFailed(.system(ECONNRESET)),
            .pageBlocked, .timedOut(.head), .timedOut(.password), .timedOut(.body), .timedOut(.response),
            .timedOut(.idle), .aborted(.drained), .relayEnded,
        ]
        return events
    }

    /// Every exchange that a sequence of these events leads to.
    static let reachable: [Exchange] = {
        let all = events
        var (known, found): (Set<String>, [Exchange]) = (["\(Exchange())"], [Exchange()])
        var next = 0
        while next < found.count {
            for event in all {
                var exchange = found[next]
                _ = exchange.on(event)
                if known.insert("\(exchange)").inserted { found.append(exchange) }
            }
            next += 1
        }
        return found
    }()
}

extension Exchange {
    /// Takes events one behind the other.
    /// - Returns: the last one's action.
    @discardableResult
    mutating func on(_ events: [Event]) -> Action {
        var action = Action.none
        for event in events { action = on(event) }
        return action
    }

    /// An exchange behind these events.
    init(after events: Event...) {
        self.init()
        on(events)
    }
}

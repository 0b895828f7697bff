import Glibc
import HTTP1
import Network
import Testing

@testable import Proxy

/// Every phase of an exchange, and what leads from one to the next.
@Suite struct ExchangeTests {
    private static let get = Exchange.Event.headCompleted(RequestTerms(method: .get, keepsAlive: true), .granted)
    private static let put = Exchange.Event.headCompleted(RequestTerms(method: .put, keepsAlive: true), .granted)
    private static let post = Exchange.Event.headCompleted(RequestTerms(method: .post, keepsAlive: true), .granted)
    private static let socket = Exchange.Event.headCompleted(
        RequestTerms(method: .get, upgrade: .webSocket, keepsAlive: true), .granted)
    private static let sent = Exchange.Event.requestMoved(.sent, isConsumed: false)

    private static func head(
        _ status: Int = 200, _ framing: BodyFraming = .length(5), keepsAlive: Bool = true, isLeaving: Bool = false
    ) -> Exchange.Event {
        .responseHead(ResponseTerms(status: status, framing: framing, keepsAlive: keepsAlive), isLeaving: isLeaving)
    }

    private static func sending(
        _ request: Exchange.Event = get, _ progress: Exchange.Event = sent, _ head: Exchange.Event = head()
    ) -> Exchange {
        Exchange(after: request, .appConnected(.kept), progress, .responseBegan, head, .responseHeadSent)
    }

    // MARK: The usual way

    @Test func aRequestAndItsResponse() {
        var exchange = Exchange()
        #expect(exchange.on(Self.get) == .findApp)
        #expect(exchange.on(.appConnected(.new)) == .sendRequest)
        #expect(exchange.on(Self.sent) == .none)
        #expect(exchange.on(.responseBegan) == .none)
        #expect(exchange.on(Self.head()) == .sendHead(.stays))
        #expect(exchange.on(.responseHeadSent) == .none)
        #expect(exchange.isSendingResponse && exchange.mayKeepApp)
        #expect(exchange.on(.responseWhole(.quiet)) == .release(.giveBack))
        #expect(exchange.on(.delivered) == .finish(.request, .finished))
        #expect(exchange.phase == .over(.finished))
    }

    @Test func informationalResponsesGoToThoseWhoKnowThem() {
        var exchange = Exchange(after: Self.get, .appConnected(.new), Self.sent, .responseBegan)
        #expect(exchange.on(Self.head(103)) == .sendInterim)
        #expect(exchange.on(Self.head(100)) == .sendInterim)
        #expect(exchange.on(Self.head()) == .sendHead(.stays))
        let old = Exchange.Event.headCompleted(
            RequestTerms(method: .get, version: .http10, keepsAlive: true), .granted)
        exchange = Exchange(after: old, .appConnected(.new), Self.sent, .responseBegan)
        #expect(exchange.on(Self.head(103)) == .dropInterim)
        #expect(exchange.on(Self.head()) == .sendHead(.stays))
    }

    // MARK: The client's connection

    @Test func theClientsConnectionEndsWhereItMust() {
        let old = RequestTerms(method: .get, version: .http10, keepsAlive: true)
        let closing = RequestTerms(method: .get, keepsAlive: false)
        for (request, head, closes) in [
            (Self.get, Self.head(), false), (Self.get, Self.head(isLeaving: true), true),
            (Self.get, Self.head(200, .untilClose), false), (Self.get, Self.head(200, .chunked), false),
            (.headCompleted(old, .granted), Self.head(), false),
            (.headCompleted(old, .granted), Self.head(200, .chunked), true),
            (.headCompleted(old, .granted), Self.head(200, .untilClose), true),
            (.headCompleted(closing, .granted), Self.head(), true),
        ] {
            var exchange = Exchange(after: request, .appConnected(.new), Self.sent, .responseBegan)
            #expect(exchange.on(head) == .sendHead(closes ? .closes : .stays))
            #expect(exchange.on(.responseHeadSent) == .none)
            exchange.on([.responseWhole(.spent)])
            #expect(exchange.on(.delivered) == .finish(closes ? .close : .request, .finished))
        }
    }

    /// The next request cannot be found before this one has been read.
    @Test func aResponseBeforeTheEndOfItsRequestIsTheConnectionsLast() {
        for progress in [Exchange.RequestProgress.partly, .taken] {
            var exchange = Exchange(
                after: Self.post, .appConnected(.kept), .requestMoved(progress, isConsumed: true), .responseBegan)
            #expect(exchange.on(Self.head()) == .sendHead(.closes))
            exchange.on([.responseHeadSent])
            #expect(exchange.takesRequest, "the app may respond with what it is just getting")
            #expect(!exchange.mayKeepApp)
            #expect(exchange.on(.responseWhole(.quiet)) == .release(.close))
            #expect(exchange.leavesRequest)
            #expect(exchange.on(.delivered) == .finish(.linger, .finished))
        }
    }

    @Test func aRequestThatEndsDuringItsResponseNeedsNoLingering() {
        var exchange = Self.sending(Self.post, .requestMoved(.partly, isConsumed: true))
        exchange.on([.requestMoved(.sent, isConsumed: true)])
        #expect(exchange.on(.responseWhole(.quiet)) == .release(.giveBack))
        #expect(exchange.on(.delivered) == .finish(.close, .finished))
    }

    // MARK: The app's connection

    @Test func theAppsConnectionIsUsedAgainOnlyBetweenMessages() {
        for (head, state, use) in [
            (Self.head(), Exchange.AppConnectionState.quiet, Exchange.AppConnectionUse.giveBack),
            (Self.head(), .quietAndClients, .keepForClient), (Self.head(), .spent, .close),
            (Self.head(keepsAlive: false), .quiet, .close),
            (Self.head(isLeaving: true), .quiet, .giveBack), (Self.head(isLeaving: true), .quietAndClients, .close),
        ] {
            var exchange = Self.sending(Self.get, Self.sent, head)
            #expect(exchange.on(.responseWhole(state)) == .release(use))
        }
    }

    // MARK: The app's end

    @Test(arguments: [Exchange.AppEnd.endOfStream, .failed(.system(ECONNRESET)), .brokenOff])
    func anAppThatEndsBeforeItsResponse(_ end: Exchange.AppEnd) {
        for (request, kind, expected) in [
            (Self.get, Exchange.AppConnectionKind.kept, Exchange.Action.findOtherApp),
            (Self.put, .kept, .findOtherApp), (Self.post, .kept, .sendPage(.noResponse)),
            (Self.get, .new, .sendPage(.noResponse)), (Self.get, .clientsOwn, .finish(.close, .noResponse)),
            (Self.post, .clientsOwn, .sendPage(.noResponse)),
        ] {
            var exchange = Exchange(after: request, .appConnected(kind), Self.sent)
            #expect(exchange.on(.appEnded(end)) == expected)
        }
    }

    @Test func aRequestIsSentAgainOnce() {
        var exchange = Exchange(after: Self.get, .appConnected(.kept), Self.sent)
        #expect(exchange.on(.appEnded(.endOfStream)) == .findOtherApp)
        #expect(exchange.phase == .awaitingApp(.retry))
        #expect(exchange.on(.appConnected(.kept)) == .sendRequestAgain)
        exchange.on([Self.sent])
        #expect(exchange.on(.appEnded(.endOfStream)) == .sendPage(.noResponse))
    }

    @Test func whatWasTakenFromTheClientIsNotSentAgain() {
        for progress in [Exchange.RequestProgress.partly, .taken, .sent] {
            var exchange = Exchange(
                after: Self.put, .appConnected(.kept), .requestMoved(progress, isConsumed: true))
            #expect(exchange.on(.appEnded(.endOfStream)) == .sendPage(.noResponse))
        }
    }

    @Test func aByteOfAResponseIsAResponse() {
        var exchange = Exchange(after: Self.get, .appConnected(.kept), Self.sent, .responseBegan)
        #expect(exchange.on(.appEnded(.endOfStream)) == .sendPage(.noResponse))
        exchange = Exchange(after: Self.get, .appConnected(.kept), Self.sent, .responseBegan, Self.head(100))
        #expect(exchange.on(.appEnded(.failed(.system(ECONNRESET)))) == .sendPage(.noResponse))
    }

    @Test func anAppThatTakesNoMoreMayHaveResponded() {
        var exchange = Exchange(after: Self.post, .appConnected(.new), .requestMoved(.partly, isConsumed: true))
        #expect(exchange.on(.appRefusedRequest(.system(EPIPE))) == .readResponse)
        #expect(exchange.appFault == nil, "a Unix socket's peer can shut its reading side alone")
        exchange.on([.responseBegan])
        #expect(exchange.on(Self.head(413)) == .sendHead(.closes))
        exchange.on([.responseHeadSent])
        #expect(exchange.on(.responseWhole(.quiet)) == .release(.close))
        #expect(exchange.on(.delivered) == .finish(.linger, .finished))
        exchange = Exchange(after: Self.get, .appConnected(.kept))
        #expect(exchange.on(.appRefusedRequest(.system(ECONNRESET))) == .readResponse)
        #expect(exchange.on(.appRefusedRequest(.system(EPIPE))) == .none)
        #expect(exchange.appFault == .system(ECONNRESET))
        #expect(exchange.on(.appEnded(.failed(.system(ECONNRESET)))) == .findOtherApp)
        exchange = Exchange(after: Self.get, .appConnected(.clientsOwn), .appRefusedRequest(.system(ECONNRESET)))
        #expect(exchange.on(.appEnded(.failed(.system(ECONNRESET)))) == .finish(.linger, .noResponse))
    }

    @Test func theEndOfTheAppInItsResponse() {
        for (head, end, expected) in [
            (Self.head(200, .length(5)), Exchange.AppEnd.endOfStream, Exchange.Action.cutOff(.responseCutOff)),
            (Self.head(200, .chunked), .failed(.system(ECONNRESET)), .cutOff(.appFailed(.system(ECONNRESET)))),
            (Self.head(200, .untilClose, keepsAlive: false), .endOfStream, .release(.close)),
            // It goes out in chunks, which show that it is not whole.
            (Self.head(200, .untilClose, keepsAlive: false), .brokenOff, .cutOff(.responseCutOff)),
            (Self.head(200, .untilClose, keepsAlive: false, isLeaving: true), .brokenOff, .reset(.responseCutOff)),
            (Self.head(200, .untilClose, keepsAlive: false, isLeaving: true), .endOfStream, .release(.close)),
        ] {
            var exchange = Self.sending(Self.get, Self.sent, head)
            #expect(exchange.on(.appEnded(end)) == expected)
            if case .cutOff(let cause) = expected {
                #expect(exchange.on(.delivered) == .finish(.cutOff, cause))
            }
        }
    }

    @Test func aChunkedResponseThatBreaksOffResetsAClientOfHTTP10() {
        let old = Exchange.Event.headCompleted(
            RequestTerms(method: .get, version: .http10, keepsAlive: true), .granted)
        var exchange = Self.sending(old, Self.sent, Self.head(200, .chunked))
        #expect(exchange.on(.responseInvalid(.body)) == .reset(.responseInvalid))
    }

    @Test(arguments: [Refusal.appNotListening, .appBusy, .queueFull, .queueTimeout, .connectFailed(EACCES)])
    func anAppThatIsNotToBeHad(_ refusal: Refusal) {
        var exchange = Exchange(after: Self.get)
        #expect(exchange.on(.appUnavailable(refusal)) == .sendPage(refusal))
        #expect(exchange.on(.delivered) == .finish(.linger, .refused(refusal)))
    }

    // MARK: Refusals

    @Test func aHeadThatIsNone() {
        var exchange = Exchange()
        #expect(exchange.on(.headRefused(.head, .invalidHead(.missingHost))) == .sendPage(.invalidHead(.missingHost)))
        #expect(exchange.request.method == .head, "its page has no body")
        #expect(exchange.on(.delivered) == .finish(.linger, .refused(.invalidHead(.missingHost))))
    }

    @Test func passwords() {
        let asked = Exchange.Event.headCompleted(RequestTerms(method: .get, keepsAlive: true), .unknown)
        var exchange = Exchange()
        #expect(exchange.on(.headCompleted(RequestTerms(), .refused(.unauthorized))) == .sendPage(.unauthorized))
        exchange = Exchange()
        #expect(exchange.on(asked) == .askPassword)
        #expect(exchange.on(.passwordChecked(isRight: true)) == .findApp)
        #expect(exchange.phase == .awaitingApp(.first))
        for (event, refusal) in [
            (Exchange.Event.passwordChecked(isRight: false), Refusal.wrongPassword),
            (.passwordRefused(.tooManyPasswords), .tooManyPasswords), (.timedOut(.password), .passwordTimeout),
        ] {
            exchange = Exchange(after: asked)
            #expect(exchange.on(event) == .sendPage(refusal))
            #expect(exchange.on(.passwordChecked(isRight: true)) == .none, "it comes too late")
        }
    }

    @Test func aBodyThatIsNone() {
        var exchange = Exchange(after: Self.post, .appConnected(.new))
        #expect(exchange.on(.requestInvalid) == .sendPage(.invalidRequestBody))
        exchange = Exchange(after: Self.post, .appConnected(.new))
        #expect(exchange.on(.requestCutOff) == .sendPage(.requestCutOff))
        exchange = Self.sending(Self.post, .requestMoved(.partly, isConsumed: true))
        #expect(exchange.on(.requestInvalid) == .cutOff(.requestInvalid))
        exchange = Self.sending(Self.post, .requestMoved(.partly, isConsumed: true))
        #expect(exchange.on(.requestCutOff) == .cutOff(.clientLeft))
    }

    @Test func aResponseThatIsNone() {
        var exchange = Exchange(after: Self.get, .appConnected(.kept), Self.sent, .responseBegan)
        #expect(exchange.on(.responseInvalid(.fault(.notHTTP))) == .sendPage(.invalidResponse(.fault(.notHTTP))))
        exchange = Exchange(after: Self.get, .appConnected(.kept), Self.sent, .responseBegan, Self.head())
        #expect(exchange.on(.responseInvalid(.body)) == .sendPage(.invalidResponse(.body)), "nothing has been sent")
        exchange = Self.sending()
        #expect(exchange.on(.responseInvalid(.body)) == .cutOff(.responseInvalid))
    }

    @Test func aPageThatTheClientDoesNotTake() {
        var exchange = Exchange(after: Self.get, .appConnected(.kept), Self.sent, .responseBegan, .timedOut(.response))
        #expect(exchange.on(.pageBlocked) == .reset(.refused(.responseTimeout)))
    }

    // MARK: Upgrade

    @Test func theProtocolIsSwitchedForThoseWhoHaveAskedForIt() {
        var exchange = Exchange(after: Self.socket, .appConnected(.new), Self.sent, .responseBegan)
        #expect(exchange.on(Self.head(101, .none, keepsAlive: false)) == .sendHead(.stays))
        #expect(exchange.on(.responseHeadSent) == .relay)
        #expect(exchange.phase == .switched)
        #expect(exchange.on(.relayEnded) == .none)
        #expect(exchange.phase == .over(.finished))
        for (request, progress) in [(Self.get, Self.sent), (Self.socket, .requestMoved(.taken, isConsumed: false))] {
            exchange = Exchange(after: request, .appConnected(.new), progress, .responseBegan)
            #expect(exchange.on(Self.head(101, .none)) == .sendPage(.invalidResponse(.unaskedSwitch)))
        }
    }

    @Test func anAppThatHasGoneBehindItsSwitch() {
        var exchange = Self.sending(Self.socket, Self.sent, Self.head(101, .none, keepsAlive: false))
        #expect(exchange.on(.appRefusedRequest(.system(EPIPE))) == .reset(.responseCutOff))
    }

    // MARK: The client's end

    @Test func aClientThatLeaves() {
        var exchange = Exchange()
        #expect(exchange.on(.clientLeft) == .leave(.clientLeft))
        exchange = Exchange(after: Self.get)
        #expect(exchange.on(.clientLeft) == .reset(.clientLeft))
        // It may have finished sending, and waits.
        for var exchange in [
            Exchange(after: Self.get, .appConnected(.new), Self.sent), Self.sending(),
            Exchange(after: .headCompleted(RequestTerms(), .unknown)),
        ] {
            let before = exchange
            #expect(exchange.on(.clientLeft) == .none)
            #expect(exchange == before)
        }
    }

    @Test func aClientThatFailsGetsNothing() {
        for exchange in ExchangeSamples.reachable {
            var exchange = exchange
            switch exchange.phase {
            case .over, .switched: #expect(exchange.on(.clientFailed(.system(ECONNRESET))) == .none)
            default:
                #expect(exchange.on(.clientFailed(.system(ECONNRESET))) == .reset(.clientFailed(.system(ECONNRESET))))
            }
        }
    }

    // MARK: Timeouts

    @Test func timeouts() {
        var exchange = Exchange(after: Self.post, .appConnected(.new), .requestMoved(.partly, isConsumed: true))
        #expect(exchange.timeoutRunning(appIsFull: false) == .body)
        #expect(exchange.timeoutRunning(appIsFull: true) == .response, "it is the app's turn to take more")
        #expect(exchange.on(.timedOut(.body)) == .sendPage(.bodyTimeout))
        exchange = Exchange(after: Self.post, .appConnected(.new), .requestMoved(.taken, isConsumed: true))
        #expect(exchange.timeoutRunning(appIsFull: false) == .response)
        #expect(exchange.on(.timedOut(.response)) == .sendPage(.responseTimeout))
        exchange = Self.sending(Self.post, .requestMoved(.partly, isConsumed: true))
        #expect(exchange.on(.timedOut(.response)) == .none, "it has responded")
        #expect(exchange.on(.timedOut(.body)) == .cutOff(.bodyTimeout))
        exchange = Self.sending()
        #expect(exchange.on(.timedOut(.idle)) == .cutOff(.idleTimeout))
        #expect(exchange.on(.timedOut(.idle)) == .resetAtOnce(.idleTimeout), "it does not take the end either")
    }

    @Test func anAbortEndsWhateverIsUnderWay() {
        for exchange in ExchangeSamples.reachable {
            var exchange = exchange
            switch exchange.phase {
            case .over, .switched: #expect(exchange.on(.aborted(.drained)) == .none)
            default:
                #expect(exchange.on(.aborted(.drained)) == .resetAtOnce(.drained))
                #expect(exchange.phase == .over(.drained))
            }
        }
    }
}

internal import HTTP1
internal import Network

/// The phase in which both connections are there.
extension Exchange {
    mutating func exchanging(_ request: RequestCourse, _ response: ResponseCourse, _ event: Event) -> Action {
        switch event {
        case .requestMoved(let progress, let isConsumed): note(progress, isConsumed, request, response)
        case .requestInvalid: fail(response, .invalidRequestBody, else: .requestInvalid)
        case .requestCutOff: fail(response, .requestCutOff, else: .clientLeft)
        case .appRefusedRequest(let code): appRefuses(code, request, response)
        case .responseBegan: responseBegins(request, response)
        case .responseHead(let terms, let isLeaving): take(terms, isLeaving, request, response)
        case .responseHeadSent: headIsSent(request, response)
        case .responseInvalid(let problem): fail(response, .invalidResponse(problem), else: .responseInvalid)
        case .responseWhole(let state): responseIsWhole(state, request, response)
        case .appEnded(let end): appHasEnded(end, request, response)
        case .clientFailed(let code): reset(.clientFailed(code))
        case .timedOut(let timeout): overdue(timeout, response)
        case .aborted(let cause): resetAtOnce(cause)
        case .headCompleted, .headRefused, .passwordChecked, .passwordRefused, .appConnected, .appUnavailable,
            .delivered,
            .clientLeft, .pageBlocked, .relayEnded:
            .none
        }
    }

    // MARK: The request

    private mutating func note(
        _ progress: RequestProgress, _ isConsumed: Bool, _ request: RequestCourse, _ response: ResponseCourse
    ) -> Action {
        let course: RequestCourse
        switch (progress, request) {
        case (_, .sent), (_, .refused): return .none
        case (.sent, _): course = .sent
        case (.taken, _), (.partly, .taken): course = .taken
        case (.partly, .coming): course = .coming
        }
        var response = response
        // Bytes taken from the client cannot be sent twice: nobody has them any more.
        if isConsumed, case .awaited = response { response = .awaited(ifAppLeaves: .page) }
        enter(.exchanging(course, response))
        return .none
    }

    /// The app has closed its side, perhaps behind a response, which is still to be read then.
    private mutating func appRefuses(_ code: SocketFailure, _ request: RequestCourse, _ response: ResponseCourse)
        -> Action
    {
        if case .refused = request { return .none }
        enter(.exchanging(.refused(code), response))
        return .readResponse
    }

    // MARK: The response

    private mutating func responseBegins(_ request: RequestCourse, _ response: ResponseCourse) -> Action {
        if case .awaited = response { enter(.exchanging(request, .begun)) }
        return .none
    }

    private mutating func take(
        _ terms: ResponseTerms, _ isLeaving: Bool, _ request: RequestCourse, _ response: ResponseCourse
    ) -> Action {
        switch response {
        case .awaited, .begun: break
        case .ready, .sending: return .none
        }
        if terms.isInformational {
            enter(.exchanging(request, .begun))
            return self.request.version == .http10 ? .dropInterim : .sendInterim
        }
        let switches = terms.status == 101
        if switches, self.request.upgrade != .webSocket || request != .sent {
            return refuse(.invalidResponse(.unaskedSwitch))
        }
        // The next request cannot be found before this one has been read to its end.
        let closes =
            isLeaving || request != .sent || !self.request.keepsAlive
            || !terms.framing.showsItsEnd(in: self.request.version)
        let delivery = Delivery(
            client: closes ? .closes : .stays, app: terms.keepsAlive ? .stays : .closes,
            sourceEnd: switches || terms.framing == .untilClose ? .connection : .framing,
            clientEnd: clientEnd(terms.framing, closes, switches), content: switches ? .otherProtocol : .body)
        enter(.exchanging(request, .ready(delivery)))
        return .sendHead(delivery.client)
    }

    private func clientEnd(_ framing: BodyFraming, _ closes: Bool, _ switches: Bool) -> BodyEnd {
        if switches { return .connection }
        return switch framing {
        case .none, .length: .framing
        case .chunked: request.version == .http10 ? .connection : .framing
        // It goes out in chunks where the client's connection stays.
        case .untilClose: closes || request.version == .http10 ? .connection : .framing
        }
    }

    private mutating func headIsSent(_ request: RequestCourse, _ response: ResponseCourse) -> Action {
        guard case .ready(let delivery) = response else { return .none }
        guard delivery.content == .body else {
            enter(.switched)
            return .relay
        }
        enter(.exchanging(request, .sending(delivery)))
        return .none
    }

    private mutating func responseIsWhole(
        _ state: AppConnectionState, _ request: RequestCourse, _ response: ResponseCourse
    ) -> Action {
        guard case .sending(let delivery) = response else { return .none }
        let closed: Next = request == .sent ? .close : .linger
        enter(.delivering(delivery.client == .stays ? .request : closed, .finished))
        guard delivery.app == .stays, request == .sent else { return .release(.close) }
        return switch state {
        case .spent: .release(.close)
        case .quiet: .release(.giveBack)
        case .quietAndClients: .release(delivery.client == .stays ? .keepForClient : .close)
        }
    }

    private mutating func appHasEnded(
        _ end: AppEnd, _ request: RequestCourse, _ response: ResponseCourse
    ) -> Action {
        switch response {
        case .awaited(.page), .begun, .ready: return refuse(.noResponse)
        case .awaited(.sendAgain):
            enter(.awaitingApp(.retry))
            return .findOtherApp
        case .awaited(.endClient):
            enter(.over(.noResponse))
            if case .refused = request { return .finish(.linger, .noResponse) }
            return .finish(.close, .noResponse)
        case .sending(let delivery):
            switch end {
            case .endOfStream where delivery.sourceEnd == .connection:
                return responseIsWhole(.spent, request, response)
            case .endOfStream, .brokenOff: return breakOff(.responseCutOff, response)
            case .failed(let code): return breakOff(.appFailed(code), response)
            }
        }
    }

    // MARK: What goes wrong

    /// Responds with an error page as long as nothing has been sent; breaks the response off otherwise.
    private mutating func fail(_ response: ResponseCourse, _ refusal: Refusal, else cause: Cause) -> Action {
        if case .sending = response { return breakOff(cause, response) }
        return refuse(refusal)
    }

    private mutating func overdue(_ timeout: Timeout, _ response: ResponseCourse) -> Action {
        switch timeout {
        case .idle: return breakOff(.idleTimeout, response)
        case .body: return fail(response, .bodyTimeout, else: .bodyTimeout)
        case .response:
            if case .sending = response { return .none }
            return refuse(.responseTimeout)
        case .head, .password: return .none
        }
    }

    /// Ends the exchange in the middle. A response whose framing shows that it is not whole can end with an end, which stands
    /// behind all that was sent and is sent again where it gets lost; a reset is neither.
    private mutating func breakOff(_ cause: Cause, _ response: ResponseCourse) -> Action {
        guard case .sending(let delivery) = response, delivery.clientEnd == .framing else { return reset(cause) }
        enter(.delivering(.cutOff, cause))
        return .cutOff(cause)
    }
}

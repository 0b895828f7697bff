internal import HTTP1

/// The phases before a connection to the app is there.
extension Exchange {
    mutating func readingHead(_ event: Event) -> Action {
        switch event {
        case .headCompleted(let terms, let access):
            take(terms)
            switch access {
            case .granted: return findApp()
            case .unknown:
                enter(.authorizing)
                return .askPassword
            case .refused(let refusal): return refuse(refusal)
            }
        case .headRefused(let method, let refusal):
            take(RequestTerms(method: method))
            return refuse(refusal)
        case .clientLeft:
            enter(.over(.clientLeft))
            return .leave(.clientLeft)
        case .clientFailed(let code): return reset(.clientFailed(code))
        case .aborted(let cause): return resetAtOnce(cause)
        default: return .none
        }
    }

    mutating func authorizing(_ event: Event) -> Action {
        switch event {
        case .passwordChecked(isRight: true): findApp()
        case .passwordChecked(isRight: false): refuse(.wrongPassword)
        case .passwordRefused(let refusal): refuse(refusal)
        case .timedOut(.password): refuse(.passwordTimeout)
        case .clientFailed(let code): reset(.clientFailed(code))
        case .aborted(let cause): resetAtOnce(cause)
        default: .none
        }
    }

    private mutating func findApp() -> Action {
        enter(.awaitingApp(.first))
        return .findApp
    }

    mutating func awaitingApp(_ attempt: Attempt, _ event: Event) -> Action {
        switch event {
        case .appConnected(let kind):
            enter(.exchanging(.coming, .awaited(ifAppLeaves: fallback(on: kind, attempt))))
            return attempt == .first ? .sendRequest : .sendRequestAgain
        case .appUnavailable(let refusal): return refuse(refusal)
        case .clientLeft: return reset(.clientLeft)
        case .clientFailed(let code): return reset(.clientFailed(code))
        case .aborted(let cause): return resetAtOnce(cause)
        default: return .none
        }
    }

    /// A request is sent again once, on a new connection, if the kept one ended before a byte of the response, the method is
    /// idempotent, and nothing of a body was taken from the client (RFC 9110 section 9.2.2, RFC 9112 section 9.3.1).
    private func fallback(on kind: AppConnectionKind, _ attempt: Attempt) -> Fallback {
        guard attempt == .first, request.method.isIdempotent else { return .page }
        return switch kind {
        case .new: .page
        case .kept: .sendAgain
        case .clientsOwn: .endClient
        }
    }
}

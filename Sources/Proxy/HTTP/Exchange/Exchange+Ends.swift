internal import Glibc
internal import Network

/// The ways out.
extension Exchange {
    mutating func delivering(_ next: Next, _ cause: Cause, _ event: Event) -> Action {
        switch event {
        case .delivered:
            enter(.over(cause))
            return .finish(next, cause)
        case .pageBlocked: return reset(cause)
        case .clientFailed(let code): return reset(.clientFailed(code))
        case .timedOut(.idle): return resetAtOnce(.idleTimeout)
        case .aborted(let cause): return resetAtOnce(cause)
        default: return .none
        }
    }

    mutating func switched(_ event: Event) -> Action {
        switch event {
        // The client's words behind its request could not be given to the app.
        case .appRefusedRequest: return reset(.responseCutOff)
        case .relayEnded: enter(.over(.finished))
        default: break
        }
        return .none
    }

    /// Responds in the app's stead. The client's connection ends behind that: what follows the request may be of no use.
    mutating func refuse(_ refusal: Refusal) -> Action {
        enter(.delivering(.linger, .refused(refusal)))
        return .sendPage(refusal)
    }

    mutating func reset(_ cause: Cause) -> Action {
        enter(.over(cause))
        return .reset(cause)
    }

    mutating func resetAtOnce(_ cause: Cause) -> Action {
        enter(.over(cause))
        return .resetAtOnce(cause)
    }
}

/// Questions about the course.
extension Exchange {
    var isExchanging: Bool { if case .exchanging = phase { true } else { false } }

    /// Whether what the client sends belongs to the request and is for the app.
    var takesRequest: Bool {
        switch phase {
        case .exchanging(.coming, _), .exchanging(.taken, _): true
        default: false
        }
    }

    /// Whether the response's head has been sent.
    var isSendingResponse: Bool { if case .exchanging(_, .sending) = phase { true } else { false } }

    /// Whether nothing of the response has come, and the app's end would not matter.
    var awaitsFirstByte: Bool { if case .exchanging(_, .awaited) = phase { true } else { false } }

    /// Whether the end of the app's connection is the regular end of the response.
    var endsWithAppsConnection: Bool {
        if case .exchanging(_, .sending(let delivery)) = phase { delivery.sourceEnd == .connection } else { false }
    }

    /// Whether both messages and their heads allow another request on the app's connection, if that is quiet.
    var mayKeepApp: Bool {
        if case .exchanging(.sent, .sending(let delivery)) = phase { delivery.app == .stays } else { false }
    }

    /// Whether a part of the request is left that nobody wants.
    var leavesRequest: Bool {
        switch phase {
        case .delivering(.linger, _), .delivering(.cutOff, _): true
        default: false
        }
    }

    /// The failure of the app's connection: nothing is awaited from it but what it has said already. After
    /// EPIPE it may still speak, since a Unix socket's peer can shut its reading side alone.
    var appFault: SocketFailure? {
        if case .exchanging(.refused(let code), _) = phase, code != .system(EPIPE) { code } else { nil }
    }

    /// The timeout that runs while both connections are there.
    /// - Parameter appIsFull: whether the app's kernel takes no more for now.
    func timeoutRunning(appIsFull: Bool) -> Timeout {
        if case .exchanging(.coming, _) = phase, !appIsFull { .body } else { .response }
    }
}

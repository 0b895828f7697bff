internal import EventLoop

/// A request, as far as its order and its patience count.
protocol WaitingRequest: AnyObject {
    var started: MonotonicTime { get }
    /// Whether the request is kept while the app is not there.
    var mayWait: Bool { get }
}

/// The course of a ``Connector``: which requests wait for the app, and who is tried next.
///
/// A value that touches neither sockets nor timers: each event returns what is to be done about it. `README.md` has the
/// table of its states.
struct ConnectorStateMachine<Request: WaitingRequest> {
    enum Phase {
        /// Requests are tried at once.
        case open
        /// Requests wait in order.
        case waiting(for: Connector.Obstacle, Role)
        /// The app answers again, and those who waited are let in one after the other.
        case releasing
    }

    /// This worker's task among the route's while requests wait.
    enum Role {
        /// It waits for news from the one that calls the app.
        case listens
        /// It calls the app, for the first of its own requests.
        /// - backoff: how long it rests before the next call.
        case calls(backoff: Duration)
    }

    private(set) var phase = Phase.open
    /// Those who wait, in the order in which they came; nobody while the phase is open.
    private(set) var line: [Request] = []
    /// The one that was let in last. While its attempt is undecided the app's backlog is full, so that nobody else is let in.
    private(set) var trial: Request?

    private static var firstBackoff: Duration { .milliseconds(5) }
    private static var longestBackoff: Duration { .milliseconds(250) }

    // MARK: Requests

    enum Asked: Equatable {
        case attempt
        /// The app is known to be away: see ``mustWait(_:for:_:)``.
        case wait
        case isWaiting
    }

    /// Somebody asks for a connection.
    /// - Parameter isAppAway: another worker has found nobody listening, and requests are held in that case.
    mutating func asked(_ request: Request, isAppAway: Bool) -> Asked {
        guard case .open = phase else {
            insert(request)
            return .isWaiting
        }
        return isAppAway ? .wait : .attempt
    }

    enum Decision: Equatable {
        case complete
        /// See ``mustWait(_:for:_:)``.
        case wait(for: Connector.Obstacle)
    }

    /// An attempt of a request's own has ended.
    /// - Parameter holds: whether clients are held while nobody listens.
    func attemptEnded(_ request: Request, _ outcome: Connector.AttemptEnd, holds: Bool) -> Decision {
        switch outcome {
        case .refused where holds && request.mayWait: .wait(for: .notListening)
        case .busy where request.mayWait: .wait(for: .busy)
        case .connected, .failed, .refused, .busy: .complete
        }
    }

    /// Whether the coordinator has to be asked before a request may wait. It knows already where others do.
    var needsVerdict: Bool {
        if case .waiting = phase { false } else { true }
    }

    enum Waits: Equatable {
        case tryAgain
        case waits
        /// This worker calls the app from now on, first after the backoff, and people are told.
        case waitsAndCalls(after: Duration)
    }

    /// A request has met an obstacle.
    /// - Parameter verdict: the coordinator's, where ``needsVerdict`` says so.
    mutating func mustWait(
        _ request: Request, for obstacle: Connector.Obstacle, _ verdict: HoldCoordinator.Verdict?
    ) -> Waits {
        let role: Role
        switch verdict {
        case .outdated?: return .tryAgain
        case .makesAttempts?: role = .calls(backoff: Self.firstBackoff)
        case .waits?: role = .listens
        case nil: if case .waiting(_, let known) = phase { role = known } else { role = .listens }
        }
        insert(request)
        phase = .waiting(for: obstacle, role)
        return verdict == .makesAttempts ? .waitsAndCalls(after: Self.firstBackoff) : .waits
    }

    /// A request that waited before goes in front of those that came later; nearly all come last.
    private mutating func insert(_ request: Request) {
        let earlier = line.lastIndex { $0.started <= request.started }
        line.insert(request, at: earlier.map { $0 + 1 } ?? 0)
    }

    enum Withdrawn: Equatable {
        case nothing
        /// The call that was under way has left with its request; the next one is due after the backoff.
        case callAgain(after: Duration)
        case nobodyWaits
    }

    /// A request has left before it was answered.
    /// - Parameter whileBeingTried: an attempt was under way for it.
    mutating func withdrawn(_ request: Request, whileBeingTried: Bool) -> Withdrawn {
        guard remove(request) else { return .nothing }
        if endIfNobodyWaits() { return .nobodyWaits }
        guard whileBeingTried, case .waiting(_, .calls(let backoff)) = phase else { return .nothing }
        return .callAgain(after: backoff)
    }

    private mutating func remove(_ request: Request) -> Bool {
        guard let index = line.firstIndex(where: { $0 === request }) else { return false }
        line.remove(at: index)
        return true
    }

    struct Expired {
        var requests: [Request]
        var nobodyWaits = false
        /// Nil where this worker does not call.
        var backoff: Duration?
    }

    /// It is time to look for those who have waited too long.
    mutating func expire(_ isOverdue: (Request, Connector.Obstacle) -> Bool) -> Expired {
        guard case .waiting(let obstacle, let role) = phase else { return Expired(requests: []) }
        let overdue = Array(line.prefix { isOverdue($0, obstacle) })
        line.removeFirst(overdue.count)
        var expired = Expired(requests: overdue, nobodyWaits: endIfNobodyWaits())
        if !expired.nobodyWaits, case .calls(let backoff) = role { expired.backoff = backoff }
        return expired
    }

    private mutating func endIfNobodyWaits() -> Bool {
        guard line.isEmpty, case .waiting = phase else { return false }
        phase = .open
        return true
    }

    // MARK: Calls for all who wait

    /// The worker that called has given it up.
    /// - Returns: when this one is to call; nil where nobody of its own waits.
    mutating func takesOver() -> Duration? {
        guard case .waiting(let obstacle, _) = phase else { return nil }
        phase = .waiting(for: obstacle, .calls(backoff: Self.firstBackoff))
        return Self.firstBackoff
    }

    /// A call is due.
    /// - Returns: the request for which it is made; nil where there is none.
    func callDue() -> Request? {
        guard case .waiting(_, .calls) = phase else { return nil }
        return line.first
    }

    enum CallEnd: Equatable {
        /// The request has its answer; then see ``goOnCalling()``.
        case complete
        /// The request has the connection, and the app answers everybody: see ``released()``.
        case release
        /// See ``goOnCalling()``.
        case goOn
    }

    /// The call for the first of the line has ended.
    mutating func callEnded(_ request: Request, _ outcome: Connector.AttemptEnd) -> CallEnd {
        switch outcome {
        case .connected:
            _ = remove(request)
            return .release
        case .failed:
            _ = remove(request)
            return .complete
        case .refused: meet(.notListening)
        case .busy: meet(.busy)
        }
        guard !request.mayWait else { return .goOn }
        _ = remove(request)
        return .complete
    }

    private mutating func meet(_ obstacle: Connector.Obstacle) {
        if case .waiting(_, let role) = phase { phase = .waiting(for: obstacle, role) }
    }

    enum NextCall: Equatable {
        case nothing
        case call(after: Duration)
        case nobodyWaits
    }

    /// A call has brought nothing.
    mutating func goOnCalling() -> NextCall {
        if endIfNobodyWaits() { return .nobodyWaits }
        guard case .waiting(let obstacle, .calls(let backoff)) = phase else { return .nothing }
        let next = min(backoff * 2, Self.longestBackoff)
        phase = .waiting(for: obstacle, .calls(backoff: next))
        return .call(after: next)
    }

    // MARK: When the app answers again

    enum Release: Equatable {
        /// It was not waited for.
        case nothing
        case letIn
        /// This worker has called: it lets the others know, gives up its call, and then lets in its own.
        case tellAndLetIn
    }

    /// The app has taken a connection, this worker's or another's.
    mutating func released() -> Release {
        guard case .waiting(_, let role) = phase else { return .nothing }
        phase = .releasing
        if case .calls = role { return .tellAndLetIn }
        return .letIn
    }

    enum LetIn {
        case nothing
        case attempt(Request)
        /// Everybody has been let in: requests are tried at once again.
        case over
    }

    /// Chooses who is let in next. The one before must have been decided.
    mutating func letIn() -> LetIn {
        guard case .releasing = phase, trial == nil else { return .nothing }
        guard !line.isEmpty else {
            phase = .open
            return .over
        }
        let next = line.removeFirst()
        trial = next
        return .attempt(next)
    }

    /// A request was answered, waits again, or has left.
    /// - Returns: whether it was the one on trial, so that the next may be let in. Others, whose attempts were under
    ///   way when the
    ///   waiting began, have no say in it.
    mutating func trialEnded(_ request: Request) -> Bool {
        guard request === trial else { return false }
        trial = nil
        return true
    }
}

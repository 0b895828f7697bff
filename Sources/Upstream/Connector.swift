public import EventLoop
public import Network

/// One worker's way to one route's app: it makes connections, and holds clients while the app is not there.
///
/// As long as the app answers, every request is tried at once. Once an attempt is refused, or the app's backlog
/// is full, requests wait in order while one attempt at a time is made for the first of them, at growing
/// intervals; when it succeeds, all go ahead. ``ConnectorStateMachine`` decides, and this makes the attempts and runs
/// the timers. Belongs to its loop's thread.
public final class Connector: ConnectionAttemptOwner {
    /// The limits of waiting.
    public struct Limits: Sendable {
        /// For an app that is not listening; zero: not at all.
        public let hold: Duration
        /// For one attempt to be answered.
        public let connectTimeout: Duration

        public init(hold: Duration, connectTimeout: Duration) {
            self.hold = hold
            self.connectTimeout = connectTimeout
        }
    }

    /// The reason why requests wait.
    public enum Obstacle: Sendable {
        /// Nobody listens on the app's address.
        case notListening
        /// The app listens but takes no connections: its backlog is full.
        case busy
    }

    /// The outcome of an attempt, as far as it decides over requests.
    enum AttemptEnd {
        case connected
        case refused
        case busy
        case failed
    }

    /// The source addresses of its connections.
    public let sources: LoopbackSources

    private let candidates: [SocketAddress]
    private let limits: Limits
    private let loop: EventLoop
    private let hold: HoldCoordinator
    private let worker: Int
    private let deadlines: AttemptDeadlines

    /// The candidate that answered last, tried first.
    private var preferred = 0
    private var course = ConnectorStateMachine<PendingRequest>()
    /// ``letInAll()`` is on the stack: attempts that end at once are not to call it again.
    private var isLettingIn = false
    private var callTimer: Timer?
    private var expiryTimer: Deadline?
    /// A connection that is opened before anybody has asked.
    private var spare: (attempt: ConnectionAttempt, completion: (AppConnection?) -> Void)?

    /// Called when this worker is the first of its route to be kept from the app, or the one that got through
    /// again (nil).
    public var onObstacle: ((Obstacle?) -> Void)?
    /// Called with the times of each request that waited or had the app called, just before it is answered.
    public var onAnswer: ((ConnectRequest.Times) -> Void)?

    /// - Parameters:
    ///   - candidates: the addresses where the app may be; at least one.
    ///   - hold: shared by the connectors of a route in all workers.
    ///   - worker: the number by which `hold` knows this worker.
    ///   - sources: this connector's own.
    public init(
        to candidates: [SocketAddress], limits: Limits, hold: HoldCoordinator, worker: Int,
        sources: LoopbackSources = LoopbackSources(), on loop: EventLoop
    ) throws(SystemError) {
        self.sources = sources
        self.candidates = candidates
        self.limits = limits
        self.hold = hold
        self.worker = worker
        self.loop = loop
        deadlines = try AttemptDeadlines(on: loop)
        // The timers are the connector's own, and go with it.
        callTimer = try Timer(on: loop) { [unowned self] in callForFirst() }
        expiryTimer = try Deadline(on: loop) { [unowned self] in expire($0) }
    }

    /// The number of requests that wait for the app.
    public var waitingCount: Int { course.line.count }

    /// Asks for a connection to the app. `completion` is called once: as a rule in a later turn of the loop, but
    /// before this returns where the system will not even try, and for an app on a Unix socket. It is never called once the
    /// caller has let go of what this returns.
    /// - Parameter client: who may have a source address of its own; nil for nobody in particular.
    public func connect(
        for client: IPAddress? = nil, _ completion: @escaping (ConnectRequest.Result) -> Void
    ) -> ConnectRequest {
        let request = PendingRequest(to: self, for: client, completion)
        connect(request)
        return ConnectRequest(request)
    }

    /// Takes a request on, that has its permit where it needs one.
    func connect(_ request: PendingRequest) {
        // Read before it is asked whether the app is away.
        let returns = hold.appReturns
        switch course.asked(request, isAppAway: hold.isHeld && limits.hold != .zero) {
        case .isWaiting: return scheduleExpiry()
        case .wait: if wait(request, for: .notListening, refusedAfter: returns) { return }
        case .attempt: break
        }
        attempt(request, at: request.hasStoodInLine ? .now : request.started)
    }

    // MARK: Spares

    /// Tries once to open a connection that nobody has asked for; does nothing while somebody waits for the app, or
    /// another such attempt is under way.
    /// - Parameter completion: called once, with nil where there is none to be had; maybe before this returns.
    func openSpare(_ completion: @escaping (AppConnection?) -> Void) {
        guard case .open = course.phase, !hold.isHeld, spare == nil else { return completion(nil) }
        let attempt = makeAttempt(for: nil)
        spare = (attempt, completion)
        attempt.start(.spare, askingAtOnce: false, for: self)
    }

    /// Gives up what ``openSpare(_:)`` has begun; its completion is not called any more.
    func cancelSpare() {
        spare?.attempt.cancel()
        spare = nil
    }

    func attemptEnded(_ attempt: ConnectionAttempt, _ outcome: ConnectionAttempt.Outcome) {
        guard let completion = spare?.completion else { return }
        spare = nil
        completion(connection(from: outcome))
    }

    // MARK: Attempts

    private func makeAttempt(for client: IPAddress?) -> ConnectionAttempt {
        ConnectionAttempt(
            to: candidates, preferred: preferred, for: client, from: sources, timeout: limits.connectTimeout,
            deadlines: deadlines, on: loop)
    }

    /// Tries a request by itself.
    private func attempt(_ request: PendingRequest, at time: MonotonicTime = .now) {
        // The request on trial asks at once: were it a turn of the loop each, clients who come meanwhile and wait behind those
        // who are let in could make this go on for as long as there is load.
        begin(request, .itself(appReturns: hold.appReturns), at: time, askingAtOnce: request === course.trial)
    }

    private func begin(
        _ request: PendingRequest, _ purpose: ConnectionAttempt.Purpose, at time: MonotonicTime, askingAtOnce: Bool
    ) {
        let attempt = makeAttempt(for: request.client)
        request.attempt = attempt
        request.lastCall = time
        attempt.start(purpose, askingAtOnce: askingAtOnce, for: request)
    }

    /// An attempt for a request has ended, which has let go of it.
    func attemptEnded(
        _ request: PendingRequest, _ purpose: ConnectionAttempt.Purpose, _ outcome: ConnectionAttempt.Outcome
    ) {
        switch purpose {
        case .itself(let returns): attempted(request, outcome, begunAfter: returns)
        case .everybody: called(request, outcome)
        case .spare: break
        }
    }

    /// The connection that an attempt has brought, after noting what it says about the app.
    private func connection(from outcome: ConnectionAttempt.Outcome) -> AppConnection? {
        switch outcome {
        case .connected(let socket, let candidate):
            preferred = candidate
            hold.appWasThere()
            return AppConnection(socket, to: candidates[candidate], appGeneration: hold.appGeneration)
        case .refused: hold.appWasGone()
        case .busy, .failed: break
        }
        return nil
    }

    /// The answer to a request that follows from an attempt.
    private func result(of outcome: ConnectionAttempt.Outcome) -> ConnectRequest.Result {
        if let connection = connection(from: outcome) { return .connected(connection) }
        return switch outcome {
        case .connected, .refused: .refused
        case .busy: .timedOut
        case .failed(let error): .failed(error)
        }
    }

    /// - Parameter returns: how often the app had come back when the attempt was begun.
    private func attempted(
        _ request: PendingRequest, _ outcome: ConnectionAttempt.Outcome, begunAfter returns: Int
    ) {
        // What a refusal said is not so any more.
        if case .refused = outcome, returns != hold.appReturns { return attempt(request) }
        let result = result(of: outcome)
        switch course.attemptEnded(request, outcome.end, holds: limits.hold != .zero) {
        case .complete: request.complete(result)
        case .wait(let obstacle):
            let returns = if case .notListening = obstacle { returns } else { hold.appReturns }
            guard wait(request, for: obstacle, refusedAfter: returns) else { return attempt(request) }
        }
        letInNext(after: request)
    }

    // MARK: While the app does not answer

    /// - Parameter returns: how often the app had come back when the request met the obstacle.
    /// - Returns: false where the app has come back since, so that the request need not wait.
    private func wait(_ request: PendingRequest, for obstacle: Obstacle, refusedAfter returns: Int) -> Bool {
        let verdict = course.needsVerdict ? hold.wait(worker, refusedAfter: returns) : nil
        switch course.mustWait(request, for: obstacle, verdict) {
        case .tryAgain: return false
        case .waits: scheduleExpiry()
        case .waitsAndCalls(let delay):
            scheduleExpiry()
            callTimer?.schedule(after: delay)
            onObstacle?(obstacle)
        }
        return true
    }

    /// Makes the one attempt that is made while requests wait.
    private func callForFirst() {
        guard let first = course.callDue() else { return }
        // Asks at once: news from another worker that arrived during a turn of waiting would give up a connection that
        // the app has perhaps accepted.
        begin(first, .everybody, at: .now, askingAtOnce: true)
    }

    private func called(_ request: PendingRequest, _ outcome: ConnectionAttempt.Outcome) {
        let result = result(of: outcome)
        switch course.callEnded(request, outcome.end) {
        case .release: return release(after: { request.complete(result) })
        case .complete: request.complete(result)
        case .goOn: break
        }
        switch course.goOnCalling() {
        case .nobodyWaits: nobodyWaits()
        case .call(let delay):
            callTimer?.schedule(after: delay)
            scheduleExpiry()
        case .nothing: break
        }
    }

    /// Takes what another worker of the route has to say.
    public func receive(_ news: HoldCoordinator.News) {
        switch news {
        case .appAnswers: release()
        case .takeOver:
            // Its clients may have left meanwhile: then the task is passed on.
            guard case .waiting = course.phase else { return hold.leave(worker) }
            if hold.takeOver(worker), let delay = course.takesOver() { callTimer?.schedule(after: delay) }
        }
    }

    private func nobodyWaits() {
        callTimer?.cancel()
        expiryTimer?.cancel()
        hold.leave(worker)
    }

    // MARK: When it answers again

    /// - Parameter completeFirst: answers the request that got through, before those behind it are let in.
    private func release(after completeFirst: () -> Void = {}) {
        switch course.released() {
        case .nothing: return completeFirst()
        case .letIn: callTimer?.cancel()
        case .tellAndLetIn:
            callTimer?.cancel()
            // Also where another worker brings the news: this one's call has begun before it arrived.
            for request in course.line { request.giveUpAttempt() }
            hold.answered(worker)
            onObstacle?(nil)
        }
        isLettingIn = true
        completeFirst()
        isLettingIn = false
        letInAll()
    }

    /// Lets those in who waited, one after the other: an attempt that is not decided at once says that the app's
    /// backlog is full, and the rest had better not try at the same time.
    private func letInAll() {
        isLettingIn = true
        defer { isLettingIn = false }
        while true {
            switch course.letIn() {
            case .nothing: return
            case .over:
                expiryTimer?.cancel()
                return
            case .attempt(let request): attempt(request)
            }
        }
    }

    private func letInNext(after request: PendingRequest) {
        if course.trialEnded(request), !isLettingIn { letInAll() }
    }

    // MARK: Those who waited too long, or left

    /// - Parameter hearing: what the present look goes by, where it is one.
    private func scheduleExpiry(_ hearing: Hearing? = nil) {
        guard case .waiting(let obstacle, _) = course.phase, let first = course.line.first else { return }
        let start = start(of: first, for: obstacle, appGone: hold.health)
        let waited = hearing?.silence(since: start) ?? MonotonicTime.now.since(start)
        expiryTimer?.schedule(after: patience(for: obstacle) - waited)
    }

    /// The moment when a request began to wait for this: what it waited for its permit while the app was there does not count.
    private func start(of request: PendingRequest, for obstacle: Obstacle, appGone health: AppHealth) -> MonotonicTime {
        guard case .notListening = obstacle, case .down(let since) = health else { return request.started }
        return max(request.started, since)
    }

    private func patience(for obstacle: Obstacle) -> Duration {
        switch obstacle {
        case .notListening: limits.hold
        case .busy: max(limits.hold, limits.connectTimeout)
        }
    }

    private func expire(_ hearing: Hearing) {
        guard case .waiting(let obstacle, _) = course.phase else { return }
        let health = hold.health
        let expired = course.expire { request, obstacle in
            hearing.silence(since: start(of: request, for: obstacle, appGone: health)) >= patience(for: obstacle)
        }
        if expired.nobodyWaits {
            nobodyWaits()
        } else {
            scheduleExpiry(hearing)
            // The request that was being tried takes that attempt along; the next one in line gets a new one.
            if expired.requests.contains(where: { $0.attempt != nil }), let backoff = expired.backoff {
                callTimer?.schedule(after: backoff)
            }
        }
        for request in expired.requests {
            request.giveUpAttempt()
            request.complete(obstacle == .busy ? .timedOut : .refused)
        }
    }

    /// A client has left before its request was answered.
    func withdrawn(_ request: PendingRequest, whileBeingTried: Bool) {
        letInNext(after: request)
        switch course.withdrawn(request, whileBeingTried: whileBeingTried) {
        case .nothing: break
        case .nobodyWaits: nobodyWaits()
        case .callAgain(let delay): callTimer?.schedule(after: delay)
        }
    }
}

extension ConnectionAttempt.Outcome {
    /// The outcome, as far as it decides over requests.
    fileprivate var end: Connector.AttemptEnd {
        switch self {
        case .connected: .connected
        case .refused: .refused
        case .busy: .busy
        case .failed: .failed
        }
    }
}

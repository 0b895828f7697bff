public import EventLoop
public import Network

/// One worker's way to one route's app: it makes connections, and holds clients while the app is not there.
///
/// As long as the app answers, every request is tried at once. Once an attempt is refused, or the app's backlog
/// is full, requests wait in order while one attempt at a time is made for the first of them, at growing
/// intervals; when it succeeds, all go ahead. Belongs to its loop's thread.
public final class Connector {
    /// How long clients wait for what.
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

    /// Why requests wait.
    public enum Obstacle: Sendable {
        /// Nobody listens on the app's address.
        case notListening
        /// The app listens but takes no connections: its backlog is full.
        case busy
    }

    private enum State {
        /// Requests are tried at once.
        case open
        /// Requests wait; one attempt at a time is made, by the worker whose turn it is.
        case waiting(for: Obstacle)
        /// The app answers again, and those who waited are let in one after the other.
        case releasing
    }

    /// Where its connections come from.
    public let sources: LoopbackSources

    private let candidates: [SocketAddress]
    private let limits: Limits
    private let loop: EventLoop
    private let hold: HoldCoordinator
    private let worker: Int
    private let deadlines: AttemptDeadlines

    /// The candidate that answered last, tried first.
    private var preferred = 0
    private var state = State.open
    private var waiting: [ConnectRequest] = []
    private var makesAttempts = false
    /// ``releaseNext()`` is on the stack: attempts that end at once are not to call it again.
    private var isReleasing = false
    /// Whose attempt decides when the next of those who waited is let in.
    private var beingLetIn: ConnectRequest?
    private var backoff = Connector.firstBackoff
    private var attemptTimer: Timer?
    private var expiryTimer: Deadline?
    /// What is opened before anybody has asked.
    private var spareAttempt: ConnectionAttempt?

    /// Called when this worker is the first of its route to be kept from the app, or the one that got through
    /// again (nil).
    public var onObstacle: ((Obstacle?) -> Void)?
    /// Called with the times of each request that waited or had the app called, just before it is answered.
    public var onAnswer: ((ConnectRequest.Times) -> Void)?

    private static let firstBackoff = Duration.milliseconds(5)
    private static let longestBackoff = Duration.milliseconds(250)

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
        attemptTimer = try Timer(on: loop) { [unowned self] in attemptForFirst() }
        expiryTimer = try Deadline(on: loop) { [unowned self] in expire($0) }
    }

    /// How many requests wait for the app.
    public var waitingCount: Int { waiting.count }

    /// Asks for a connection to the app. `completion` is called once: as a rule in a later turn of the loop, but
    /// before this returns where the system will not even try, and for an app on a Unix socket.
    /// - Parameter client: who may have a source address of its own; nil for nobody in particular.
    @discardableResult
    public func connect(
        for client: IPAddress? = nil, _ completion: @escaping (ConnectRequest.Result) -> Void
    ) -> ConnectRequest {
        let request = ConnectRequest(to: self, for: client, completion)
        connect(request)
        return request
    }

    /// Takes a request on, that has its place where it needs one.
    func connect(_ request: ConnectRequest) {
        switch state {
        case .open:
            let returns = hold.appReturns
            if hold.isHeld, limits.hold != .zero, wait(request, for: .notListening, refusedAfter: returns) { return }
            attempt(request, at: request.hasStoodInLine ? .now : request.started)
        case .waiting:
            insert(request)
            scheduleExpiry()
        case .releasing: insert(request)
        }
    }

    /// Tries once to open a connection that nobody has asked for; does nothing while somebody waits for the app, or
    /// another such attempt is under way.
    /// - Parameter completion: called once, with nil where there is none to be had; maybe before this returns.
    func openSpare(_ completion: @escaping (AppConnection?) -> Void) {
        guard case .open = state, !hold.isHeld, spareAttempt == nil else { return completion(nil) }
        let attempt = ConnectionAttempt(
            to: candidates, preferred: preferred, for: nil, from: sources, timeout: limits.connectTimeout,
            deadlines: deadlines, on: loop)
        spareAttempt = attempt
        attempt.start(askingAtOnce: false) { [unowned self] outcome in
            spareAttempt = nil
            completion(connection(from: outcome))
        }
    }

    /// Gives up what ``openSpare(_:)`` has begun; its completion is not called any more.
    func cancelSpare() {
        spareAttempt?.cancel()
        spareAttempt = nil
    }

    /// What an attempt has brought, after noting what it says about the app.
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

    /// Takes what another worker of the route has to say.
    public func receive(_ news: HoldCoordinator.News) {
        guard case .waiting = state else {
            // Its clients have left meanwhile: pass the task on.
            if case .takeOver = news { hold.leave(worker) }
            return
        }
        switch news {
        case .appAnswers: release()
        case .takeOver:
            if hold.takeOver(worker) { makeAttempts() }
        }
    }

    // MARK: While the app answers

    private func attempt(_ request: ConnectRequest, at time: MonotonicTime = .now) {
        // The attempt keeps the request until it is decided or cancelled, and the request keeps the connector.
        // Whoever is let in after waiting asks at once: were it a turn of the loop each, clients who come meanwhile
        // and wait behind them could make this go on for as long as there is load.
        let returns = hold.appReturns
        begin(request, at: time).start(askingAtOnce: request === beingLetIn) { [unowned self] outcome in
            attempted(request, outcome, begunAfter: returns)
        }
    }

    private func begin(_ request: ConnectRequest, at time: MonotonicTime) -> ConnectionAttempt {
        let attempt = ConnectionAttempt(
            to: candidates, preferred: preferred, for: request.client, from: sources,
            timeout: limits.connectTimeout, deadlines: deadlines, on: loop)
        request.attempt = attempt
        request.lastCall = time
        return attempt
    }

    /// - Parameter returns: how often the app had come back when the attempt was begun.
    private func attempted(
        _ request: ConnectRequest, _ outcome: ConnectionAttempt.Outcome, begunAfter returns: Int
    ) {
        request.attempt = nil
        // What a refusal said is not so any more.
        if case .refused = outcome, returns != hold.appReturns { return attempt(request) }
        if let connection = connection(from: outcome) { request.complete(.connected(connection)) }
        switch outcome {
        case .connected: break
        case .failed(let error):
            request.complete(.failed(error))
        case .refused where limits.hold == .zero || !request.mayWait:
            request.complete(.refused)
        case .busy where !request.mayWait:
            request.complete(.timedOut)
        case .refused:
            guard wait(request, for: .notListening, refusedAfter: returns) else { return attempt(request) }
        case .busy:
            guard wait(request, for: .busy, refusedAfter: hold.appReturns) else { return attempt(request) }
        }
        letInNext(after: request)
    }

    // MARK: While it does not

    /// One that waited before goes in front of those that came later; nearly all come last.
    private func insert(_ request: ConnectRequest) {
        let earlier = waiting.lastIndex { $0.started <= request.started }
        waiting.insert(request, at: earlier.map { $0 + 1 } ?? 0)
    }

    /// - Parameter returns: how often the app had come back when the request met the obstacle.
    /// - Returns: false where the app has come back since, so that the request need not wait.
    private func wait(_ request: ConnectRequest, for obstacle: Obstacle, refusedAfter returns: Int) -> Bool {
        var isNews = false
        // Where requests wait already, the coordinator knows, or its news is on the way.
        if case .waiting = state {
        } else {
            switch hold.wait(worker, refusedAfter: returns) {
            case .outdated: return false
            case .waits: break
            case .makesAttempts: isNews = true
            }
            backoff = Self.firstBackoff
        }
        insert(request)
        state = .waiting(for: obstacle)
        scheduleExpiry()
        if isNews {
            makeAttempts()
            onObstacle?(obstacle)
        }
        return true
    }

    /// This worker makes the attempts for all from now on.
    private func makeAttempts() {
        makesAttempts = true
        attemptTimer?.schedule(after: backoff)
    }

    /// The one attempt that is made while requests wait.
    private func attemptForFirst() {
        guard makesAttempts, let first = waiting.first else { return }
        // Asks at once: news from another worker that arrived during a turn of waiting would give up a connection that
        // the app has perhaps accepted.
        begin(first, at: .now).start(askingAtOnce: true) { [unowned self, unowned first] outcome in
            attemptedForFirst(first, outcome)
        }
    }

    private func attemptedForFirst(_ request: ConnectRequest, _ outcome: ConnectionAttempt.Outcome) {
        request.attempt = nil
        if let connection = connection(from: outcome) {
            waiting.removeAll { $0 === request }
            return release(after: { request.complete(.connected(connection)) })
        }
        switch outcome {
        case .connected: break
        case .failed(let error):
            dismiss(request, .failed(error))
        case .refused:
            state = .waiting(for: .notListening)
            if !request.mayWait { dismiss(request, .refused) }
        case .busy:
            state = .waiting(for: .busy)
            if !request.mayWait { dismiss(request, .timedOut) }
        }
        if endWaitingIfNobodyDoes() { return }
        backoff = min(backoff * 2, Self.longestBackoff)
        attemptTimer?.schedule(after: backoff)
        scheduleExpiry()
    }

    private func dismiss(_ request: ConnectRequest, _ result: ConnectRequest.Result) {
        waiting.removeAll { $0 === request }
        request.complete(result)
    }

    /// - Parameter completeFirst: answers the request that got through, before those behind it are let in.
    private func release(after completeFirst: () -> Void = {}) {
        attemptTimer?.cancel()
        state = .releasing
        if makesAttempts {
            // Also where another worker brings the news: ours has begun to make attempts before it arrived.
            makesAttempts = false
            for request in waiting { request.giveUpAttempt() }
            hold.answered(worker)
            onObstacle?(nil)
        }
        isReleasing = true
        completeFirst()
        isReleasing = false
        releaseNext()
    }

    /// Lets those in who waited, one after the other: an attempt that is not decided at once says that the app's
    /// backlog is full, and the rest had better not try at the same time.
    private func releaseNext() {
        isReleasing = true
        defer { isReleasing = false }
        while case .releasing = state, beingLetIn == nil {
            guard !waiting.isEmpty else {
                state = .open
                expiryTimer?.cancel()
                return
            }
            let next = waiting.removeFirst()
            beingLetIn = next
            attempt(next)
        }
    }

    /// Goes on when the one who was being let in has been answered, waits again, or has left. Others whose attempts
    /// were under way when the waiting began have no say in it.
    private func letInNext(after request: ConnectRequest) {
        guard request === beingLetIn else { return }
        beingLetIn = nil
        if !isReleasing { releaseNext() }
    }

    // MARK: Those who waited too long, or left

    /// - Parameter hearing: what the present look goes by, where it is one.
    private func scheduleExpiry(_ hearing: Hearing? = nil) {
        guard case .waiting(let obstacle) = state, let first = waiting.first else { return }
        let start = start(of: first, for: obstacle, appGone: hold.health)
        let waited = hearing?.silence(since: start) ?? MonotonicTime.now.since(start)
        expiryTimer?.schedule(after: patience(for: obstacle) - waited)
    }

    /// When a request began to wait for this: what it waited for its place while the app was there does not count.
    private func start(of request: ConnectRequest, for obstacle: Obstacle, appGone health: AppHealth) -> MonotonicTime {
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
        guard case .waiting(let obstacle) = state else { return }
        let patience = patience(for: obstacle)
        let health = hold.health
        let expired = waiting.prefix {
            hearing.silence(since: start(of: $0, for: obstacle, appGone: health)) >= patience
        }
        waiting.removeFirst(expired.count)
        if !endWaitingIfNobodyDoes() {
            scheduleExpiry(hearing)
            // Whoever was being tried takes that attempt along; the next one in line gets a new one.
            if expired.contains(where: { $0.attempt != nil }) { attemptTimer?.schedule(after: backoff) }
        }
        for request in expired {
            request.attempt?.cancel()
            request.complete(obstacle == .busy ? .timedOut : .refused)
        }
    }

    /// A client has left before its request was answered.
    func withdrawn(_ request: ConnectRequest, whileBeingTried: Bool) {
        letInNext(after: request)
        guard let place = waiting.firstIndex(where: { $0 === request }) else { return }
        waiting.remove(at: place)
        if endWaitingIfNobodyDoes() { return }
        if whileBeingTried, makesAttempts { attemptTimer?.schedule(after: backoff) }
    }

    /// - Returns: whether the waiting is over for lack of anybody who waits.
    private func endWaitingIfNobodyDoes() -> Bool {
        guard waiting.isEmpty, case .waiting = state else { return false }
        state = .open
        makesAttempts = false
        attemptTimer?.cancel()
        expiryTimer?.cancel()
        hold.leave(worker)
        return true
    }
}

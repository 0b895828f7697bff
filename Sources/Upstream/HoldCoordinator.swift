internal import EventLoop
internal import Synchronization

/// Sees to it that the workers of a route make one attempt at a time while its app is not there, and that all
/// of them learn at once when it is.
///
/// Whichever worker is refused first makes the attempts for everybody: the others only wait. It gives the task
/// up when its last client leaves, and another worker takes over.
///
/// It also knows whether the app is there: what the last attempt has shown, whichever worker made it.
public final class HoldCoordinator: Sendable {
    /// News for a waiting worker.
    public enum News: Sendable {
        /// The app has taken another worker's connection: yours may try now.
        case appAnswers
        /// Nobody makes the attempts any more, and you still have clients that wait.
        case takeOver
    }

    /// The answer to a worker whose client was refused.
    enum Verdict {
        /// It makes the attempts for everybody.
        case makesAttempts
        /// Another worker does.
        case waits
        /// The app has taken a connection since the client was refused: it may try again.
        case outdated
    }

    private struct State {
        var attempting: Int?
        var waiting: Set<Int> = []
        var health = AppHealth.unknown
    }

    private let state = Guarded(State())
    private let isHolding = Atomic(false)
    /// The gist of ``State/health``, for those who only want to know whether that is news.
    private let isKnownUp = Atomic(false)
    private let isKnownDown = Atomic(false)
    private let losses = Atomic(0)
    private let returns = Atomic(0)
    private let tell: @Sendable (_ worker: Int, News) -> Void

    /// - Parameter tell: brings news to a worker, through its mailbox; called on any worker's thread.
    public init(tell: @escaping @Sendable (_ worker: Int, News) -> Void) {
        self.tell = tell
    }

    /// Whether some worker is making attempts. Callable from every thread, without a lock.
    var isHeld: Bool { isHolding.load(ordering: .relaxed) }

    /// Whether the app is there.
    public var health: AppHealth { state.withLock { $0.health } }

    /// The number of times that the app has been found gone. Callable from every thread, without a lock.
    var appGeneration: Int { losses.load(ordering: .acquiring) }

    /// An attempt was taken by the app. Without a lock where that is no news.
    func appWasThere() {
        guard !isKnownUp.load(ordering: .relaxed) else { return }
        state.withLock { state in
            guard !state.health.isUp else { return }
            state.health = .up(since: .now)
            isKnownDown.store(false, ordering: .relaxed)
            isKnownUp.store(true, ordering: .relaxed)
        }
    }

    /// An attempt was refused. Without a lock where that is no news.
    func appWasGone() {
        guard !isKnownDown.load(ordering: .relaxed) else { return }
        state.withLock { state in
            guard !state.health.isDown else { return }
            state.health = .down(since: .now)
            isKnownUp.store(false, ordering: .relaxed)
            isKnownDown.store(true, ordering: .relaxed)
            losses.add(1, ordering: .acquiringAndReleasing)
        }
    }

    /// The number of times that the app has come back while clients waited for it. Callable from every thread, without
    /// a lock; to be read before ``isHeld``, and before an attempt is begun.
    var appReturns: Int { returns.load(ordering: .acquiring) }

    /// Enters a worker among those whose clients wait, unless it is behind the times.
    /// - Parameter returns: ``appReturns`` when the client's attempt was begun.
    func wait(_ worker: Int, refusedAfter returns: Int) -> Verdict {
        state.withLock { state in
            guard returns == self.returns.load(ordering: .relaxed) else { return .outdated }
            state.waiting.insert(worker)
            if state.attempting == nil { state.attempting = worker }
            isHolding.store(true, ordering: .relaxed)
            return state.attempting == worker ? .makesAttempts : .waits
        }
    }

    /// Takes the task of a worker that gave it up.
    /// - Returns: whether the worker has it now.
    func takeOver(_ worker: Int) -> Bool {
        state.withLock { state in
            guard state.waiting.contains(worker), state.attempting == nil else { return false }
            state.attempting = worker
            isHolding.store(true, ordering: .relaxed)
            return true
        }
    }

    /// The last of a worker's waiting clients has left.
    func leave(_ worker: Int) {
        let successor: Int? = state.withLock { state in
            state.waiting.remove(worker)
            // Nobody makes attempts while a successor has not acted on the news yet; if it is this one, the next is told.
            guard state.attempting == nil || state.attempting == worker else { return nil }
            state.attempting = nil
            isHolding.store(false, ordering: .relaxed)
            return state.waiting.min()
        }
        if let successor { tell(successor, .takeOver) }
    }

    /// The worker's attempt was taken by the app.
    func answered(_ worker: Int) {
        let others = state.withLock { state in
            let others = state.waiting.subtracting([worker])
            state.waiting = []
            state.attempting = nil
            isHolding.store(false, ordering: .relaxed)
            // Whoever sees this sees that nobody is held any more.
            returns.add(1, ordering: .releasing)
            return others
        }
        for other in others { tell(other, .appAnswers) }
    }
}

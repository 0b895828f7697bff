internal import EventLoop

/// A bound on connections that all workers share: who takes the last place makes the others wait.
///
/// A worker that is refused stops accepting; it is told when there is room again. Callable from every thread.
final class ConnectionBudget: Sendable {
    /// Whether there was a place.
    enum Answer {
        case granted
        /// - isNews: it is a while since this was last said; a crowd that is let in one by one is one piece of news.
        case full(isNews: Bool)
    }

    private struct State {
        var used = 0
        var refused: Set<Int> = []
        var lastNews: MonotonicTime?
    }

    /// How many connections there may be at a time.
    let limit: Int
    private let newsInterval: Duration
    private let state = Guarded(State())
    private let tellThereIsRoom: @Sendable (_ worker: Int) -> Void

    /// - Parameters:
    ///   - newsInterval: how long a refusal is no news after one that was.
    ///   - tellThereIsRoom: tells a worker that was refused; called on any thread.
    init(
        limit: Int, newsInterval: Duration = .seconds(60),
        tellThereIsRoom: @escaping @Sendable (_ worker: Int) -> Void
    ) {
        self.limit = limit
        self.newsInterval = newsInterval
        self.tellThereIsRoom = tellThereIsRoom
    }

    /// Takes a place for a connection that the worker is about to accept.
    func take(for worker: Int) -> Answer {
        state.withLock { state in
            guard state.used >= limit else {
                state.used += 1
                return .granted
            }
            state.refused.insert(worker)
            let now = MonotonicTime.coarse
            if let last = state.lastNews, now.since(last) < newsInterval { return .full(isNews: false) }
            state.lastNews = now
            return .full(isNews: true)
        }
    }

    /// Gives a place back.
    func giveBack() {
        let refused = state.withLock { state in
            state.used -= 1
            guard !state.refused.isEmpty else { return Set<Int>() }
            let refused = state.refused
            state.refused = []
            return refused
        }
        for worker in refused { tellThereIsRoom(worker) }
    }
}

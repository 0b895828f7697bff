internal import EventLoop

/// A bound on connections that all workers share: who takes the last place makes the others wait.
///
/// A worker that is refused stops accepting; it is told when there is room again. Callable from every thread.
package final class ConnectionBudget: Sendable {
    /// Whether there was a place.
    package enum Answer {
        case granted
        /// - isNews: it is a while since this was last said; a crowd that is let in one by one is one piece of news.
        case full(isNews: Bool)
    }

    private struct State {
        var limit: Int
        var used = 0
        var refused: Set<Int> = []
        var lastNews: MonotonicTime?
    }

    private let newsInterval: Duration
    private let state: Guarded<State>
    private let tellThereIsRoom: @Sendable (_ worker: Int) -> Void

    /// - Parameters:
    ///   - limit: how many connections there may be at a time.
    ///   - newsInterval: how long a refusal is no news after one that was.
    ///   - tellThereIsRoom: tells a worker that was refused; called on any thread.
    package init(
        limit: Int, newsInterval: Duration = .seconds(60),
        tellThereIsRoom: @escaping @Sendable (_ worker: Int) -> Void
    ) {
        state = Guarded(State(limit: limit))
        self.newsInterval = newsInterval
        self.tellThereIsRoom = tellThereIsRoom
    }

    /// How many connections there may be at a time. Where there are more already, they go on, and nobody is added.
    package var limit: Int {
        get { state.withLock { $0.limit } }
        set {
            tell(
                state.withLock { state in
                    state.limit = newValue
                    return Self.thoseWhoMayTryAgain(&state)
                })
        }
    }

    /// Takes a place for a connection that the worker is about to accept.
    /// - Parameter worker: told when there is room again; nil tells nobody.
    package func take(for worker: Int?) -> Answer {
        state.withLock { state in
            guard state.used >= state.limit else {
                state.used += 1
                return .granted
            }
            if let worker { state.refused.insert(worker) }
            let now = MonotonicTime.coarse
            if let last = state.lastNews, now.since(last) < newsInterval { return .full(isNews: false) }
            state.lastNews = now
            return .full(isNews: true)
        }
    }

    /// Gives a place back.
    package func giveBack() {
        tell(
            state.withLock { state in
                state.used -= 1
                return Self.thoseWhoMayTryAgain(&state)
            })
    }

    private static func thoseWhoMayTryAgain(_ state: inout State) -> Set<Int> {
        guard !state.refused.isEmpty, state.used < state.limit else { return [] }
        let refused = state.refused
        state.refused = []
        return refused
    }

    private func tell(_ workers: Set<Int>) {
        for worker in workers { tellThereIsRoom(worker) }
    }
}

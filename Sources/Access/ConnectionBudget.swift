internal import EventLoop

/// A limit on connections that all workers share.
///
/// A worker that is refused a permit stops accepting, and is told when there is room again. Callable from every thread.
package final class ConnectionBudget: Sendable {
    /// The result of asking for a permit.
    package enum Answer {
        case granted
        /// - isNews: whether the log is to say so: the last time is a while ago. A crowd that is let in one by one is told of once.
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
    ///   - limit: the number of connections that there may be at a time.
    ///   - newsInterval: the time after a refusal that was news during which further ones are none.
    ///   - tellThereIsRoom: called on any thread for a worker that was refused, once there is room.
    package init(
        limit: Int, newsInterval: Duration = .seconds(60),
        tellThereIsRoom: @escaping @Sendable (_ worker: Int) -> Void
    ) {
        state = Guarded(State(limit: limit))
        self.newsInterval = newsInterval
        self.tellThereIsRoom = tellThereIsRoom
    }

    /// The number of connections that there may be at a time. Where there are more already, they go on, and none is added.
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

    /// Takes a permit for a connection that the worker is about to accept.
    /// - Parameter worker: the worker to tell when there is room again; nil tells nobody.
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

    /// Gives a permit back.
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

internal import Synchronization

/// A bound on connections that all workers share: who takes the last place makes the others wait.
///
/// A worker that is refused stops accepting; it is told when there is room again. Callable from every thread.
final class ConnectionBudget: Sendable {
    /// Whether there was a place.
    enum Answer {
        case granted
        /// - isFirst: nobody was refused since there was last room.
        case full(isFirst: Bool)
    }

    private struct State {
        var used = 0
        var refused: Set<Int> = []
    }

    /// How many connections there may be at a time.
    let limit: Int
    private let state = Mutex(State())
    private let tellThereIsRoom: @Sendable (_ worker: Int) -> Void

    /// - Parameter tellThereIsRoom: tells a worker that was refused; called on any thread.
    init(limit: Int, tellThereIsRoom: @escaping @Sendable (_ worker: Int) -> Void) {
        self.limit = limit
        self.tellThereIsRoom = tellThereIsRoom
    }

    /// Takes a place for a connection that the worker is about to accept.
    func take(for worker: Int) -> Answer {
        state.withLock { state in
            guard state.used >= limit else {
                state.used += 1
                return .granted
            }
            let isFirst = state.refused.isEmpty
            state.refused.insert(worker)
            return .full(isFirst: isFirst)
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

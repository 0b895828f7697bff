internal import EventLoop

/// Has the connections of removed routes reset once they have had their time to finish.
///
/// Belongs to the control loop.
final class RouteRemovals {
    /// The removed routes, by deadline.
    private var pending: [(route: Int, deadline: MonotonicTime)] = []
    private let reset: (_ route: Int) -> Void
    private var timer: Deadline?

    /// - Parameter reset: called with the number of a route whose connections have had their time.
    init(on loop: EventLoop, reset: @escaping (_ route: Int) -> Void) throws(SystemError) {
        self.reset = reset
        // The timer ends with this, and so do its calls.
        timer = try Deadline(on: loop) { [unowned self] _ in resetThoseDue() }
    }

    /// Has a removed route's connections reset once the time has passed.
    func add(_ route: Int, within time: Duration) {
        pending.append((route, MonotonicTime.now.advanced(by: time)))
        pending.sort { $0.deadline < $1.deadline }
        schedule()
    }

    private func resetThoseDue() {
        let now = MonotonicTime.now
        let due = pending.prefix { $0.deadline <= now }
        pending.removeFirst(due.count)
        for removal in due { reset(removal.route) }
        schedule()
    }

    private func schedule() {
        guard let next = pending.first else { return }
        timer?.schedule(after: next.deadline.since(.now))
    }
}

internal import EventLoop

/// Tells connection attempts that nobody has answered for too long, with one timer for all of them: nearly all are
/// decided in the loop's next turn, and a timer each would cost every connection what hardly any needs.
///
/// Belongs to its loop's thread.
final class AttemptDeadlines {
    /// The undecided ones, in no order.
    private var attempts: [ConnectionAttempt] = []
    private var timer: Timer?
    /// The delay for which the timer was scheduled; nil while it is not. It goes on when its attempts are decided: the
    /// next ones are likely to come before it fires, and need not schedule it then.
    private var delay: Duration?

    init(on loop: EventLoop) throws(SystemError) {
        // The timer is their own, and goes with them.
        timer = try Timer(on: loop) { [unowned self] in tellWhoeverIsOverdue() }
    }

    /// Watches an undecided attempt, and keeps it, until ``forget(_:)``.
    func watch(_ attempt: ConnectionAttempt) {
        attempt.listIndex = attempts.count
        attempts.append(attempt)
        // Who is less patient than whom the timer runs for may make those wait for as long as its own patience more.
        if delay.map({ attempt.patience < $0 }) ?? true { schedule(after: attempt.patience) }
    }

    /// Lets go of an attempt that is being watched.
    func forget(_ attempt: ConnectionAttempt) {
        let last = attempts.removeLast()
        guard last !== attempt else { return }
        attempts[attempt.listIndex] = last
        last.listIndex = attempt.listIndex
    }

    private func schedule(after delay: Duration) {
        self.delay = delay
        timer?.schedule(after: delay)
    }

    private func tellWhoeverIsOverdue() {
        delay = nil
        let now = MonotonicTime.coarse
        let left = attempts.map { $0.patience - now.since($0.started) }
        if let earliest = left.filter({ $0 > .zero }).min() { schedule(after: earliest) }
        // What the first is told may decide others, or begin new ones.
        let overdue = zip(attempts, left).filter { $1 <= .zero }.map(\.0)
        for attempt in overdue { attempt.isOverdue() }
    }
}

internal import EventLoop

/// Tells connection attempts that nobody has answered for too long, with one timer for all of them: nearly all are
/// decided in the loop's next turn, and a timer each would cost every connection what hardly any needs.
///
/// Belongs to its loop's thread.
final class AttemptDeadlines {
    private var attempts: [ConnectionAttempt] = []
    private var timer: Timer?

    init(on loop: EventLoop) throws(SystemError) {
        timer = try Timer(on: loop) { [unowned self] in tellWhoeverIsOverdue() }
    }

    /// Watches an attempt from now on; it is forgotten some time after it was decided.
    func watch(_ attempt: ConnectionAttempt) {
        attempts.append(attempt)
        if attempts.count == 1 { timer?.schedule(after: attempt.patience) }
    }

    private func tellWhoeverIsOverdue() {
        let now = MonotonicTime.coarse
        var overdue: [ConnectionAttempt] = []
        var earliest: Duration?
        attempts.removeAll { attempt in
            guard attempt.isUndecided else { return true }
            let left = attempt.patience - now.since(attempt.started)
            if left <= .zero {
                overdue.append(attempt)
                return true
            }
            earliest = min(earliest ?? left, left)
            return false
        }
        if let earliest { timer?.schedule(after: earliest) }
        for attempt in overdue { attempt.isOverdue() }
    }
}

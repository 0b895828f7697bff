internal import EventLoop

/// Asks all workers for a ``WorkerSnapshot`` and waits until each has answered, but not for long.
///
/// A worker that is late is represented by what it said last, and not asked again before it has answered: questions do not
/// pile up where nobody reads them. Belongs to the control thread.
final class WorkerSurvey {
    private struct Member {
        var last: WorkerSnapshot
        /// The time of the first question without an answer; nil where it owes none.
        var owesSince: MonotonicTime?
        /// Whether it has let a deadline pass.
        var isLate = false
    }

    private struct Round {
        let begun: MonotonicTime
        var missing: Set<Int>
        let completion: ([WorkerSnapshot]) -> Void
    }

    private let ask: (_ worker: Int, _ posted: MonotonicTime) -> Void
    private let patience: Duration
    private var members: [Member]
    /// The rounds under way, in the order in which they began.
    private var rounds: [Round] = []
    private var deadline: Deadline?

    /// - Parameters:
    ///   - count: the number of workers.
    ///   - patience: the time to wait for a worker.
    ///   - ask: leaves the question for a worker, whose answer comes back through ``receive(_:)``.
    init(
        of count: Int, patience: Duration = .seconds(1), on loop: EventLoop,
        ask: @escaping (_ worker: Int, _ posted: MonotonicTime) -> Void
    ) throws(SystemError) {
        self.ask = ask
        self.patience = patience
        members = (0..<count).map { Member(last: WorkerSnapshot(number: $0, posted: .now, loopLag: .zero)) }
        // The survey owns its deadline, and no other owner is there.
        deadline = try Deadline(on: loop) { [unowned self] _ in endLateRounds() }
    }

    /// - Parameter completion: called once, in a later turn of the loop, with a snapshot of each worker in their order.
    func begin(_ completion: @escaping ([WorkerSnapshot]) -> Void) {
        let now = MonotonicTime.now
        var missing: Set<Int> = []
        for number in members.indices where !members[number].isLate {
            missing.insert(number)
            if members[number].owesSince == nil { members[number].owesSince = now }
            ask(number, now)
        }
        rounds.append(Round(begun: now, missing: missing, completion: completion))
        // With nobody to wait for, the timer is what makes it a later turn.
        scheduleDeadline()
    }

    /// Takes a worker's answer.
    func receive(_ snapshot: WorkerSnapshot) {
        let number = snapshot.number
        members[number].last = snapshot
        members[number].isLate = false
        // It may have been asked several times, and answers in that order.
        let later = rounds.first { $0.missing.contains(number) && $0.begun > snapshot.posted }
        members[number].owesSince = later?.begun
        for index in rounds.indices where rounds[index].begun <= snapshot.posted {
            rounds[index].missing.remove(number)
        }
        complete { $0.missing.isEmpty }
    }

    private func endLateRounds() {
        let now = MonotonicTime.now
        for round in rounds where now.since(round.begun) >= patience {
            for number in round.missing { members[number].isLate = true }
        }
        complete { $0.missing.isEmpty || now.since($0.begun) >= patience }
        // The timer's clock may be ahead of this one by a tick.
        scheduleDeadline()
    }

    private func complete(_ isDone: (Round) -> Bool) {
        let done = rounds.filter(isDone)
        guard !done.isEmpty else { return }
        rounds.removeAll(where: isDone)
        scheduleDeadline()
        let snapshots = current()
        for round in done { round.completion(snapshots) }
    }

    /// Returns the latest snapshots of all workers.
    private func current() -> [WorkerSnapshot] {
        let now = MonotonicTime.now
        return members.map { member in
            var snapshot = member.last
            if member.isLate, let since = member.owesSince { snapshot.loopLag = now.since(since) }
            return snapshot
        }
    }

    private func scheduleDeadline() {
        guard let first = rounds.first else {
            deadline?.cancel()
            return
        }
        let hasNobody = rounds.contains { $0.missing.isEmpty }
        deadline?.schedule(after: hasNobody ? .zero : first.begun.advanced(by: patience).since(.now))
    }
}

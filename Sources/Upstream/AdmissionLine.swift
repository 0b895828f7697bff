internal import EventLoop

/// One worker's clients who wait for a permit of the route's ``AdmissionQueue``, until it is granted, they leave, or they
/// have waited for too long. Belongs to its loop's thread.
final class AdmissionLine {
    private let patience: Duration
    private let hold: Duration
    private let queue: AdmissionQueue
    private let coordinator: HoldCoordinator
    private var waiting = TicketLine<PendingRequest>()
    private var expiryTimer: Deadline?

    /// The number of those who wait.
    var count: Int { waiting.count }

    /// - Parameters:
    ///   - patience: how long one may wait while the app is there.
    ///   - hold: how long one may wait while it is not.
    init(
        for queue: AdmissionQueue, patience: Duration, hold: Duration, coordinator: HoldCoordinator,
        on loop: EventLoop
    ) throws(SystemError) {
        self.queue = queue
        self.patience = patience
        self.hold = hold
        self.coordinator = coordinator
        // The timer is the line's own, and goes with it.
        expiryTimer = try Deadline(on: loop) { [unowned self] in expire($0) }
    }

    func append(_ request: PendingRequest, ticket: UInt64) {
        waiting.append(ticket, request)
        request.turn = PendingRequest.Turn(line: self, ticket: ticket)
        if waiting.count == 1 { scheduleExpiry() }
    }

    /// The one whose turn it is; nil where it has left.
    func take(_ ticket: UInt64) -> PendingRequest? {
        guard let request = waiting.remove(ticket) else { return nil }
        request.turn = nil
        if waiting.isEmpty { expiryTimer?.cancel() }
        return request
    }

    /// The client has left.
    func withdraw(_ ticket: UInt64) {
        if take(ticket) != nil { queue.withdraw(ticket) }
    }

    // MARK: Those who waited too long

    /// Whether it is the app's absence that all wait for.
    private var isAppAway: Bool { coordinator.isHeld && coordinator.health.isDown }

    /// The moment when a client's patience began: what it waits for is not the same before and after the app came or went.
    private func start(of request: PendingRequest) -> MonotonicTime {
        max(request.started, coordinator.health.since ?? request.started)
    }

    /// - Parameter hearing: what the present look goes by, where it is one.
    private func scheduleExpiry(_ hearing: Hearing? = nil) {
        guard let first = waiting.first?.payload else { return }
        let limit = isAppAway ? hold : patience
        // While the app is away, look often enough not to be late when it comes back.
        let start = start(of: first)
        let left = max(limit - (hearing?.silence(since: start) ?? MonotonicTime.now.since(start)), .milliseconds(10))
        expiryTimer?.schedule(after: isAppAway ? min(left, max(patience / 8, .milliseconds(10))) : left)
    }

    private func expire(_ hearing: Hearing) {
        let isAppAway = isAppAway
        let limit = isAppAway ? hold : patience
        var expired: [PendingRequest] = []
        while let (ticket, request) = waiting.first, hearing.silence(since: start(of: request)) >= limit {
            // Whose turn has come is served, though the word of it is still on its way.
            guard queue.withdraw(ticket) else { break }
            _ = take(ticket)
            expired.append(request)
        }
        scheduleExpiry(hearing)
        for request in expired { request.complete(isAppAway ? .refused : .waitedTooLong) }
    }
}

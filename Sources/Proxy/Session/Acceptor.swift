internal import Access
internal import EventLoop
internal import Network

/// Accepts a route's clients on one listening socket, as long as there are permits for them.
///
/// Belongs to its worker's thread.
final class Acceptor: Listener {
    let socket: ListeningSocket
    /// The lock of all workers that accept on the same socket; nil where it is this worker's alone. Each client wakes all of them,
    /// so they take turns: nobody takes a permit for a client that another one is just accepting.
    private let turn: TurnLock?
    /// Whether another process accepts the clients that wait when this one ends.
    let outlivesUs: Bool
    private(set) var route: WorkerRoute
    private var event: IOEvent?
    /// Nil where the socket is not this worker's alone: the filter would hinder those who accept on it later.
    private var shield: FloodShield?
    private var isPaused = true
    /// The most clients that one turn accepts. A call that finds nobody waiting is in vain, so a lone client is
    /// accepted alone; the number grows while as many are there, so that no crowd piles up while the loop is busy with
    /// other work.
    private var batch = 1
    /// The number of turns in a row that found as many clients as they could accept.
    private var fullBatches = 0
    /// The number of full batches after which the next one is larger.
    private var fullBatchesToGrow = 1

    private static let largestBatch = 64
    private static let mostFullBatchesToGrow = 8
    /// The most clients that a backlog can hold (SOMAXCONN).
    private static let longestBacklog = 4096

    /// Makes an acceptor that accepts nobody before ``resume()``.
    init(
        _ socket: consuming ListeningSocket, turn: TurnLock?, outlivesUs: Bool, route: WorkerRoute
    ) {
        let loop = route.worker.loop
        self.socket = socket
        self.turn = turn
        self.outlivesUs = outlivesUs
        self.route = route
        // The acceptor owns its event, and no other owner is there.
        event = IOEvent(idle: self.socket.number, on: loop, for: .readable, trigger: .level) { [unowned self] _ in
            acceptBatch()
        }
        if turn == nil, !outlivesUs { shield = FloodShield(of: self, on: loop) }
    }

    deinit {
        event = nil
    }

    /// Accepts clients on another route from now on, beginning with those who wait already.
    func handOver(to route: WorkerRoute) {
        shield?.countDropped()
        self.route = route
        shield?.followRoute()
    }

    /// Accepts from now on, or again after there was no room.
    func resume() throws(SystemError) {
        guard isPaused else { return }
        try event?.startWatching()
        isPaused = false
    }

    /// Counts the clients that the kernel has turned away.
    func countDropped() {
        shield?.countDropped()
    }

    /// Accepts the clients that wait already, as far as there are permits: for them the connection has been made. An acceptor's
    /// last act.
    func acceptBacklog() {
        countDropped()
        for _ in 0..<Self.longestBacklog {
            guard acceptOne() else { return }
        }
    }

    private func acceptBatch() {
        for accepted in 0..<batch {
            guard acceptOne() else {
                // Fewer were waiting than expected, so the next growth takes longer.
                if batch > 1 { fullBatchesToGrow = min(fullBatchesToGrow * 2, Self.mostFullBatchesToGrow) }
                batch = max(accepted, 1)
                fullBatches = 0
                return
            }
        }
        fullBatches += 1
        if fullBatches >= fullBatchesToGrow {
            if batch > 1 { fullBatchesToGrow = 1 }
            batch = min(batch * 2, Self.largestBatch)
            fullBatches = 0
        }
    }

    /// - Returns: whether there may be more to accept.
    private func acceptOne() -> Bool {
        turn?.begin()
        if let turn, !socket.hasWaitingClients {
            turn.end()
            return false
        }
        guard let permit = route.worker.takePermit(on: route) else {
            turn?.end()
            pause()
            return false
        }
        let result = socket.accept()
        turn?.end()
        switch consume result {
        case .accepted(let client, let address):
            switch ClientPipeline.begin(client, from: address, with: permit) {
            case .begun: return true
            case .turnedAway(let refusal):
                if refusal == .denied { shield?.noteDenied() }
                return true
            case .noRoom:
                pause()
                return false
            }
        case .nobody: return false
        case .exhausted(let error):
            route.worker.outOfDescriptors(error)
            pause()
            return false
        }
    }

    private func pause() {
        isPaused = true
        event?.stopWatching()
    }
}

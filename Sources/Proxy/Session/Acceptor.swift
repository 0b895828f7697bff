internal import Access
internal import EventLoop
internal import Network

/// Accepts a route's clients on one listening socket, as long as there are places for them.
///
/// Belongs to its worker's thread.
final class Acceptor {
    let socket: ListeningSocket
    /// Where other workers accept on the same socket: each client wakes all of them, and one is first. They take turns, so
    /// that nobody takes a place for a client that another one is just accepting.
    private let turn: TurnLock?
    /// Somebody else accepts those who wait at our end.
    let outlivesUs: Bool
    private(set) var route: WorkerRoute
    private var event: IOEvent?
    /// Nil where the socket is not ours alone: a filter would be in the way of those who accept on it after us.
    private var shield: FloodShield?
    private var isPaused = true
    /// Why the socket is not watched though there is room for clients; nil where it is as it should be.
    private(set) var obstacle: SystemError?
    /// How many clients one turn takes at the most. The call that finds nobody waiting is in vain, so a lone client is
    /// accepted alone; the number grows while as many are there, so that a turn that is long for its other work does not
    /// let a crowd pile up.
    private var batch = 1
    /// How many turns in a row have found as many clients as they could take.
    private var fullBatches = 0
    /// After how many of them the next batch is larger.
    private var fullBatchesToGrow = 1

    private static let largestBatch = 64
    private static let mostFullBatchesToGrow = 8
    /// As many as a backlog can hold (SOMAXCONN).
    private static let longestBacklog = 4096

    /// Accepts nobody before ``resume()``.
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

    /// Accepts clients on another route from now on. Those who wait already are its first ones.
    func handOver(to route: WorkerRoute) {
        shield?.countDropped()
        self.route = route
        shield?.followRoute()
        resume()
    }

    /// Accepts from now on, or again after there was no room. Where the kernel refuses to watch the socket, the worker tries
    /// again in a while: it is kept, for the same socket may be all that a route has.
    func resume() {
        guard isPaused else { return }
        do {
            try event?.startWatching()
            isPaused = false
            obstacle = nil
        } catch {
            obstacle = error
            route.worker.outOfDescriptors(error)
        }
    }

    /// Counts whom the kernel has turned away for us.
    func countDropped() {
        shield?.countDropped()
    }

    /// Accepts those who are waiting already, as far as there are places: to them, the connection has been made. It is the
    /// last that is done.
    func acceptBacklog() {
        countDropped()
        for _ in 0..<Self.longestBacklog {
            guard acceptOne() else { return }
        }
    }

    private func acceptBatch() {
        for accepted in 0..<batch {
            guard acceptOne() else {
                // Fewer were waiting than hoped for; be slower to hope again.
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

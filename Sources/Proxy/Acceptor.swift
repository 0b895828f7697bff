internal import EventLoop
internal import Network

/// Accepts a route's clients on one listening socket, as long as there are places for them.
///
/// Belongs to its worker's thread.
final class Acceptor {
    private let socket: ListeningSocket
    private let route: WorkerRoute
    private unowned let worker: Worker
    private var event: IOEvent?
    private var isPaused = false
    /// How many clients one turn takes at the most. A lone client costs one call of accept(2). While one comes right
    /// after the other the number grows, so that a turn that is long for its other work does not let them pile up.
    private var batch = 1
    private var lastBatch = MonotonicTime.coarse

    private static let largestBatch = 64
    /// Clients that come within this time of each other are a crowd.
    private static let crowdInterval = Duration.milliseconds(10)
    /// As many as a backlog can hold (SOMAXCONN).
    private static let longestBacklog = 4096

    init(
        _ socket: consuming ListeningSocket, route: WorkerRoute, worker: Worker, on loop: EventLoop
    ) throws(SystemError) {
        self.socket = socket
        self.route = route
        self.worker = worker
        event = try IOEvent(self.socket.number, on: loop, for: .readable, trigger: .level) { [unowned self] _ in
            acceptBatch()
        }
    }

    deinit {
        event = nil
    }

    /// Accepts again after there was no room.
    func resume() {
        guard isPaused else { return }
        do {
            try event?.startWatching()
            isPaused = false
        } catch {
            worker.outOfDescriptors(error)
        }
    }

    /// Accepts those who are waiting already, as far as there are places: to them, the connection has been made.
    func acceptBacklog() {
        for _ in 0..<Self.longestBacklog {
            guard acceptOne() else { return }
        }
    }

    private func acceptBatch() {
        let now = MonotonicTime.coarse
        batch = now.since(lastBatch) < Self.crowdInterval ? min(batch * 2, Self.largestBatch) : 1
        lastBatch = now
        for _ in 0..<batch {
            guard acceptOne() else {
                batch = 1
                return
            }
        }
    }

    /// - Returns: whether there may be more to accept.
    private func acceptOne() -> Bool {
        guard worker.takePlace(on: route) else {
            pause()
            return false
        }
        switch socket.accept() {
        case .accepted(let client, let address):
            guard worker.accepted(client, from: address, on: route) else {
                pause()
                return false
            }
            return true
        case .nobody:
            worker.giveBackPlace(on: route)
            return false
        case .exhausted(let error):
            worker.giveBackPlace(on: route)
            worker.outOfDescriptors(error)
            pause()
            return false
        }
    }

    private func pause() {
        isPaused = true
        event?.stopWatching()
    }
}

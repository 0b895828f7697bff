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

    init(
        _ socket: consuming ListeningSocket, route: WorkerRoute, worker: Worker, on loop: EventLoop
    ) throws(SystemError) {
        self.socket = socket
        self.route = route
        self.worker = worker
        event = try IOEvent(self.socket.number, on: loop, for: .readable, trigger: .level) { [unowned self] _ in
            // One a turn, so that a lone client costs one call of accept(2); a crowd raises the event again.
            acceptOne()
        }
    }

    deinit {
        event = nil
    }

    /// Accepts again after there was no room.
    func resume() {
        guard isPaused else { return }
        isPaused = false
        try? event?.startWatching()
    }

    /// Accepts everybody who is waiting already: to them, the connection has been made.
    func acceptAll() {
        while acceptOne() {}
    }

    /// - Returns: whether there may be more to accept.
    @discardableResult
    private func acceptOne() -> Bool {
        guard worker.takePlace(on: route) else {
            pause()
            return false
        }
        switch socket.accept() {
        case .accepted(let client, let address):
            worker.accepted(client, from: address, on: route)
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

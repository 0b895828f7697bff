internal import Configuration
internal import EventLoop
internal import Network

/// A stage before the route's protocol. It has no app yet, and takes nothing that is for the app.
protocol EntryStage: Session {}

extension EntryStage {
    var bytesMoved: (toApp: UInt64, toClient: UInt64) { (0, 0) }

    var usesApp: Bool { false }

    var keepsApp: Bool { false }

    func boundBuffers(to bytes: Int?) { socket?.socket.boundBuffers(to: bytes) }

    /// Resets the connection.
    func abort(_ reason: SessionEnd) {
        socket?.socket.resetWhenClosed()
        end(reason)
    }

    /// Closes the connection, and counts and logs the reason. Does nothing once the connection was handed on or closed.
    func end(_ reason: SessionEnd) {
        guard socket != nil else { return }
        route.traffic.countFailure(reason)
        close(reason, of: client)
    }

    /// Closes the connection of a client whose refusal is counted already.
    func close(_ reason: SessionEnd, of client: SocketAddress) {
        worker.log(
            SessionSummary(
                client: client, route: route.configuration.name, upstream: nil, source: nil, bytesToApp: 0,
                bytesToClient: 0, duration: MonotonicTime.coarse.since(started), end: reason))
        worker.sessions.end(self, bytesMoved: bytesMoved)
    }
}

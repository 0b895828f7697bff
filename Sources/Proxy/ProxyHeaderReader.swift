internal import Access
internal import Configuration
internal import EventLoop
internal import Network
internal import ProxyProtocol
internal import Relay

/// A trusted proxy's connection until its PROXY header is complete; then the session of the client that it names takes the
/// place of this one.
///
/// The header is looked at where it lies in the kernel and then taken out alone, so that the session finds the socket as if
/// the client itself had connected.
final class ProxyHeaderReader: Session {
    var connection: ClientConnection
    var index = 0

    init(_ connection: consuming ClientConnection) {
        self.connection = connection
    }

    func start() {
        socket?.onReady = { [unowned self] in ready($0) }
    }

    var bytesMoved: (toApp: UInt64, toClient: UInt64) { (0, 0) }

    var usesApp: Bool { false }

    var keepsApp: Bool { false }

    func boundBuffers(to bytes: Int?) { socket?.socket.boundBuffers(to: bytes) }

    private func ready(_ readiness: IOEvent.Readiness) {
        guard let socket else { return }
        socket.unusedReadiness.formUnion(readiness)
        if readiness.contains(.failed) { return abort(.clientFailed(socket.socket.takeError())) }
        if !readiness.isDisjoint(with: [.readable, .endOfStream]) { read(socket) }
    }

    private func read(_ socket: WatchedSocket) {
        let workspace = worker.workspace
        switch workspace.peek(at: socket.socket, upTo: ProxyHeader.longest + 1) {
        case .moved(let count):
            switch workspace.withReceived(count, { ProxyHeader.parse($0) }) {
            case .incomplete:
                if socket.unusedReadiness.contains(.endOfStream) { refuse(.cutOff) }
            case .invalid(let fault): refuse(fault)
            case .complete(let header, let length):
                guard workspace.discard(length, from: socket.socket) else { return abort(.clientLeft) }
                // What has become readable was the header; a read for nothing else would be in vain.
                if count == length, !socket.unusedReadiness.contains(.urgent) {
                    socket.unusedReadiness.remove(.readable)
                }
                do throws(ClientRefusal) {
                    try worker.proxyHasSpoken(self, header)
                } catch {
                    turnAway(header.endpoints?.source ?? client, error)
                }
            }
        case .wouldBlock: break
        // Balancers look in like that, to see that somebody listens.
        case .endOfStream: end(.finished)
        case .failed(let code): abort(.clientFailed(code))
        }
    }

    /// Resets the connection of a client that is not let in.
    private func turnAway(_ named: SocketAddress, _ refusal: ClientRefusal) {
        socket?.socket.resetWhenClosed()
        worker.noteRefusal(refusal, of: named, on: route)
        close(.refused(refusal), of: named)
    }

    private func refuse(_ fault: ProxyHeader.Fault) {
        worker.reportInvalidProxyHeader(fault.explanation, from: client, on: route)
        abort(.invalidProxyHeader(fault))
    }

    func abort(_ reason: SessionEnd) {
        socket?.socket.resetWhenClosed()
        end(reason)
    }

    /// At the server's end, who has not said anything yet has nothing to finish; a header that has begun leads to what may.
    func drain() {
        guard worker.isDraining, let socket, socket.socket.idleState == .quiet else { return }
        abort(.drained)
    }

    func checkTimeouts(_ hearing: Hearing) {
        guard hearing.silence(since: started) >= route.configuration.proxyProtocol.headerTimeout else { return }
        worker.reportInvalidProxyHeader("it did not come in time", from: client, on: route)
        abort(.proxyHeaderTimeout)
    }

    private func end(_ reason: SessionEnd) {
        guard socket != nil else { return }
        route.traffic.countFailure(reason)
        close(reason, of: client)
    }

    private func close(_ reason: SessionEnd, of client: SocketAddress) {
        worker.log(
            SessionSummary(
                client: client, route: route.configuration.name, upstream: nil, source: nil, bytesToApp: 0,
                bytesToClient: 0, duration: MonotonicTime.coarse.since(started), end: reason))
        worker.ended(self, bytesMoved: (0, 0))
    }
}

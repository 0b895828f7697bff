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
final class ProxyHeaderReader: EntryStage {
    var connection: ClientConnection
    var index = 0

    init(_ connection: consuming ClientConnection) {
        self.connection = connection
    }

    func start() {
        socket?.onReady = { [unowned self] in ready($0) }
    }

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
                goOn(with: header)
            }
        case .wouldBlock: break
        // Balancers look in like that, to see that somebody listens.
        case .endOfStream: end(.finished)
        case .failed(let code): abort(.clientFailed(code))
        }
    }

    /// From here on it is known who the client is, and it is let in or not; until here nothing was opened for it.
    private func goOn(with header: ProxyHeader) {
        do throws(ClientRefusal) {
            try connection.admit(namedBy: header)
            ClientPipeline.handOn(from: self)
        } catch {
            let named = header.endpoints?.source ?? client
            socket?.socket.resetWhenClosed()
            worker.noteRefusal(error, of: named, on: route)
            close(.refused(error), of: named)
        }
    }

    private func refuse(_ fault: ProxyHeader.Fault) {
        worker.reportInvalidProxyHeader(fault.explanation, from: client, on: route)
        abort(.invalidProxyHeader(fault))
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
}

internal import Access
internal import Configuration
internal import EventLoop
internal import Network
internal import ProxyProtocol
internal import Relay

/// Reads the PROXY header of a trusted proxy's connection; then the next stage goes on with it, for the client that the header
/// names.
///
/// It looks at the header where it lies in the kernel and then takes it out alone, so that the next stage finds the socket as if
/// the client itself had connected.
final class ProxyHeaderReader: EntryStage {
    var connection: ClientConnection
    var index = 0

    init(_ connection: consuming ClientConnection) {
        self.connection = connection
    }

    func start() {
        // The connection takes the handler away when it is handed on or ends.
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
                // Only the header has become readable; a read for more would be in vain.
                if count == length, !socket.unusedReadiness.contains(.urgent) {
                    socket.unusedReadiness.remove(.readable)
                }
                goOn(with: header)
            }
        case .wouldBlock: break
        // Load balancers connect and leave like that to check that somebody listens.
        case .endOfStream: end(.finished)
        case .failed(let code): abort(.clientFailed(code))
        }
    }

    /// Lets the client in that the header names, or turns it away. Nothing was opened for it until here.
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

    /// Ends the connection at the server's end if nothing has come; a header that has begun may lead to a request.
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

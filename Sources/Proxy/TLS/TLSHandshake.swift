internal import Access
internal import Configuration
internal import EventLoop
internal import Memory
internal import Network
internal import TLS

/// Agrees on TLS with a client; then the next stage goes on with its connection.
///
/// A client that says nothing costs no more than its connection: memory for the handshake is taken with the first record.
final class TLSHandshake: EntryStage {
    var connection: ClientConnection
    var index = 0
    private let channel: TLSChannel
    /// The socket's readiness besides reading, for the next stage.
    private var noted: IOEvent.Readiness = []
    /// Whether memory was granted for the handshake.
    private var hasMemory = false

    /// - Parameter channel: the one that the connection's socket goes through.
    init(_ connection: consuming ClientConnection, through channel: TLSChannel) {
        self.connection = connection
        self.channel = channel
    }

    func start() {
        guard let socket else { return }
        // The connection takes the handler away when it is handed on or ends.
        socket.onReady = { [unowned self] in ready($0) }
        let readiness = socket.takeUnusedReadiness()
        if !readiness.isEmpty { ready(readiness) }
    }

    private func ready(_ readiness: IOEvent.Readiness) {
        guard let socket else { return }
        noted.formUnion(readiness.intersection([.endOfStream, .failed, .urgent]))
        if readiness.contains(.failed) { return end(.clientFailed(socket.socket.takeError())) }
        guard !readiness.isDisjoint(with: [.readable, .endOfStream]) else { return }
        guard hasMemory || worker.memory.take(MemoryCost.handshake, for: .newcomer) else {
            return abort(.refused(.memoryShort))
        }
        hasMemory = true
        var result = channel.handshake(on: socket.socket, with: route.shared.tls?.context)
        // The end is told once, and bytes before it, or an urgent mark, may have kept the handshake from seeing it.
        if case .waiting = result, !noted.isDisjoint(with: [.endOfStream, .urgent]) {
            result = channel.handshake(on: socket.socket, with: route.shared.tls?.context)
        }
        switch result {
        case .waiting: break
        case .done: handOn(socket)
        case .failed(let fault): fail(fault)
        }
    }

    private func handOn(_ socket: WatchedSocket) {
        // The kernel will not tell again of what came with the handshake's last message.
        if channel.mayHaveMore || noted.contains(.urgent) { noted.insert(.readable) }
        socket.unusedReadiness = noted
        connection.noteTLS()
        ClientPipeline.handOn(from: self)
    }

    private func fail(_ fault: HandshakeFault) {
        switch fault {
        // Load balancers connect and leave like that to check that somebody listens.
        case .clientLeft: end(channel.hasBegun ? .tlsHandshakeFailed("the client left") : .finished)
        case .broken(let code): abort(.clientFailed(code))
        case .refused(let reason): end(.tlsHandshakeFailed(reason))
        case .clientCertificate(let reason): end(.clientCertificateRefused(reason))
        case .outOfMemory: end(.tlsHandshakeFailed("there is no memory for it"))
        case .plainHTTP: end(.tlsHandshakeFailed("the client speaks HTTP without TLS"))
        }
    }

    /// Ends the connection at the server's end if nothing has come.
    func drain() {
        guard worker.isDraining, !channel.hasBegun, let socket, socket.socket.idleState == .quiet else { return }
        abort(.drained)
    }

    func checkTimeouts(_ hearing: Hearing) {
        if hearing.silence(since: started) >= route.configuration.tls.handshakeTimeout { abort(.tlsHandshakeTimeout) }
    }
}

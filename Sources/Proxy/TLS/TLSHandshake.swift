internal import Access
internal import Configuration
internal import EventLoop
internal import Memory
internal import Network
internal import TLS

/// A client's connection until TLS is agreed on; then the session of what is spoken in it takes the place of this one.
///
/// A client that says nothing costs no more than its connection: what a handshake needs is made when the first record is there.
final class TLSHandshake: EntryStage {
    var connection: ClientConnection
    var index = 0
    private let channel: TLSChannel
    /// What the socket has become ready for besides reading, for the session that follows.
    private var noted: IOEvent.Readiness = []
    /// There is memory for the handshake.
    private var hasMemory = false

    /// - Parameter channel: the one that the connection's socket goes through.
    init(_ connection: consuming ClientConnection, through channel: TLSChannel) {
        self.connection = connection
        self.channel = channel
    }

    func start() {
        guard let socket else { return }
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
        // The end is told once, and what stood before it may have kept the handshake from seeing it; so may an urgent mark.
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
        // What came with the handshake's last message is nothing that the kernel will tell of.
        if channel.mayHaveMore || noted.contains(.urgent) { noted.insert(.readable) }
        socket.unusedReadiness = noted
        connection.noteTLS()
        ClientPipeline.handOn(from: self)
    }

    private func fail(_ fault: HandshakeFault) {
        switch fault {
        // Balancers look in like that, to see that somebody listens.
        case .clientLeft: end(channel.hasBegun ? .tlsHandshakeFailed("the client left") : .finished)
        case .broken(let code): abort(.clientFailed(code))
        case .refused(let reason): end(.tlsHandshakeFailed(reason))
        case .clientCertificate(let reason): end(.clientCertificateRefused(reason))
        case .outOfMemory: end(.tlsHandshakeFailed("there is no memory for it"))
        case .plainHTTP: end(.tlsHandshakeFailed("the client speaks HTTP without TLS"))
        }
    }

    /// At the server's end, who has not said anything yet has nothing to finish.
    func drain() {
        guard worker.isDraining, !channel.hasBegun, let socket, socket.socket.idleState == .quiet else { return }
        abort(.drained)
    }

    func checkTimeouts(_ hearing: Hearing) {
        if hearing.silence(since: started) >= route.configuration.tls.handshakeTimeout { abort(.tlsHandshakeTimeout) }
    }
}

internal import Access
internal import Configuration
internal import EventLoop
internal import Memory
internal import Network
internal import TLS

/// A client's connection until TLS is agreed on; then the session of what is spoken in it takes the place of this one.
///
/// A client that says nothing costs no more than its connection: what a handshake needs is made when the first record is there.
final class TLSHandshake: Session {
    private let channel: TLSChannel
    /// Nil once it was handed on or closed.
    private var socket: WatchedSocket?
    /// What the socket has become ready for besides reading, for the session that follows.
    private var noted: IOEvent.Readiness = []
    /// There is memory for the handshake.
    private var hasMemory = false

    /// - Parameter channel: that of the socket which ``start(with:)`` gets.
    init(_ client: SocketAddress, on route: WorkerRoute, of worker: Worker, through channel: TLSChannel) {
        self.channel = channel
        super.init(client, on: route, of: worker)
    }

    override func start(with socket: WatchedSocket) {
        self.socket = socket
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
        self.socket = nil
        socket.onReady = nil
        let session = worker.makeSession(client, on: route)
        session.tls = channel
        session.receivedHeader = receivedHeader
        session.clientPlace = clientPlace
        worker.replace(self, by: session)
        // What came with the handshake's last message is nothing that the kernel will tell of.
        if channel.mayHaveMore || noted.contains(.urgent) { noted.insert(.readable) }
        socket.unusedReadiness = noted
        session.start(with: socket)
        if worker.isDraining || route.isRemoved { session.drain() }
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

    override func abort(_ reason: SessionEnd) {
        socket?.socket.resetWhenClosed()
        end(reason)
    }

    /// At the server's end, who has not said anything yet has nothing to finish.
    override func drain() {
        guard worker.isDraining, !channel.hasBegun, let socket, socket.socket.idleState == .quiet else { return }
        abort(.drained)
    }

    override func checkTimeouts(_ hearing: Hearing) {
        if hearing.silence(since: started) >= route.configuration.tls.handshakeTimeout { abort(.tlsHandshakeTimeout) }
    }

    private func end(_ reason: SessionEnd) {
        guard let socket else { return }
        socket.onReady = nil
        self.socket = nil
        worker.log(
            SessionSummary(
                client: client, route: route.configuration.name, upstream: nil, source: nil, bytesToApp: 0,
                bytesToClient: 0, duration: MonotonicTime.coarse.since(started), end: reason))
        route.traffic.countFailure(reason)
        worker.ended(self, bytesMoved: (0, 0))
    }
}

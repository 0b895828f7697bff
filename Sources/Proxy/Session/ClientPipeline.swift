internal import Access
internal import Configuration
internal import Network
internal import Observability

/// Takes a client through the stages of its connection.
///
///     accept ──► access ──► PROXY header ──► TLS ──► the route's protocol
///
/// ``Acceptor`` accepts. ``begin(_:from:with:)`` asks about access, and makes the ``ClientConnection`` that goes the rest of the
/// way. Each further stage is a ``Session`` in a file of its own, which owns the connection until it calls
/// ``handOn(from:)``; ``nextStage(of:)`` has their order. A stage is added by one line there, a protocol by one line in
/// ``ServedProtocol``.
enum ClientPipeline {
    /// The outcome of a client's first stages.
    enum Entrance {
        case begun
        /// The client was reset.
        case turnedAway(ClientRefusal)
        /// The client was reset: the system has no memory or descriptors for it.
        case noRoom
    }

    /// Lets in a client that was just accepted, or turns it away: then nothing of it is read, and the app is not called.
    /// - Parameter permit: taken before the client was accepted; held until its connection has ended.
    static func begin(
        _ socket: consuming Socket, from address: SocketAddress, with permit: consuming ConnectionPermit
    ) -> Entrance {
        let route = permit.route
        // Where a proxy is to name the client, access is decided in the stage of the PROXY header.
        let awaitsProxyHeader = route.expectsProxyHeader(from: address)
        do throws(ClientRefusal) {
            guard route.worker.hasMemoryForClient() else { throw .memoryShort }
            if !awaitsProxyHeader { try permit.admit(address) }
        } catch {
            socket.resetWhenClosed()
            route.worker.noteRefusal(error, of: address, on: route)
            return .turnedAway(error)
        }
        do {
            let connection = try ClientConnection(
                socket, from: address, permit: permit, awaitsProxyHeader: awaitsProxyHeader)
            route.tally.countConnection()
            route.worker.sessions.start(nextStage(of: connection))
            return .begun
        } catch {
            route.worker.outOfDescriptors(error)
            return .noRoom
        }
    }

    /// Makes the stages behind access, in their order.
    private static func nextStage(of connection: consuming ClientConnection) -> any Session {
        if connection.awaitsProxyHeader { return ProxyHeaderReader(connection) }
        if connection.awaitsTLS, let channel = connection.tls { return TLSHandshake(connection, through: channel) }
        return connection.route.streams.makeSession(connection)
    }

    /// Hands a connection from a stage that is done with it to the next one.
    static func handOn(from stage: some Session) {
        let (worker, route) = (stage.worker, stage.route)
        let successor = nextStage(of: stage.connection.handOn())
        worker.sessions.replace(stage, by: successor)
        successor.start()
        if worker.isDraining || route.isRemoved { successor.drain() }
    }
}

internal import Access
internal import Configuration
internal import Network
internal import Observability

/// The way of a client, stage by stage.
///
///     accept ──► access ──► PROXY header ──► TLS ──► the route's protocol
///
/// ``Acceptor`` accepts. ``begin(_:from:with:)`` asks about access, and makes the ``ClientConnection`` that goes the rest of the
/// way. Each further stage is a ``Session`` in a file of its own, which owns the connection until it calls
/// ``handOn(from:)``; ``nextStage(of:)`` has their order. A stage is added by one line there, a protocol by one line in
/// ``ServedProtocol``.
enum ClientPipeline {
    /// What became of a client that was accepted.
    enum Entrance {
        case begun
        /// It was reset.
        case turnedAway(ClientRefusal)
        /// It was reset, for the system has no memory or descriptors for it.
        case noRoom
    }

    /// Takes a client in that was just accepted, or turns it away: then nothing of it is read, and nobody is called.
    /// - Parameter permit: taken before the client was accepted; held until its connection has ended.
    static func begin(
        _ socket: consuming Socket, from address: SocketAddress, with permit: consuming ConnectionPermit
    ) -> Entrance {
        let route = permit.route
        // Access to a client that a proxy names is decided once it is known: by the PROXY header's stage.
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

    /// The stages behind access, in their order.
    private static func nextStage(of connection: consuming ClientConnection) -> any Session {
        if connection.awaitsProxyHeader { return ProxyHeaderReader(connection) }
        if connection.awaitsTLS, let channel = connection.tls { return TLSHandshake(connection, through: channel) }
        return connection.route.streams.makeSession(connection)
    }

    /// Has the next stage go on with the connection of one that is through with it.
    static func handOn(from stage: some Session) {
        let (worker, route) = (stage.worker, stage.route)
        let successor = nextStage(of: stage.connection.handOn())
        worker.sessions.replace(stage, by: successor)
        successor.start()
        if worker.isDraining || route.isRemoved { successor.drain() }
    }
}

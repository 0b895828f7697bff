internal import Configuration
internal import Discovery
internal import EventLoop
internal import Network

/// The differences between connections and datagrams, for the control thread: no other file of this module tells them apart.
extension RouteProtocol.Transport {
    /// The sockets that listen, or take datagrams, at this moment; nil where that cannot be seen.
    var listeningEndpoints: [ListeningEndpoint]? {
        switch self {
        case .tcp: try? ListeningSockets.current()
        case .udp: try? ListeningSockets.takingDatagrams()
        }
    }

    /// The ending of an address in messages.
    var suffix: String {
        switch self {
        case .tcp: ""
        case .udp: "/udp"
        }
    }

    /// Whether clients wait for an app that is not listening yet (`hold`).
    var waitsForApp: Bool {
        switch self {
        case .tcp: true
        case .udp: false
        }
    }

    /// Whether an address may be a Unix socket's.
    var takesUnixSockets: Bool {
        switch self {
        case .tcp: true
        case .udp: false
        }
    }

    /// Opens a socket for each worker.
    func openSockets(on address: SocketAddress, workers: Int) throws(SystemError) -> OpenedSockets {
        switch self {
        case .tcp: try OpenedSockets(forConnectionsOn: address, workers: workers)
        case .udp: try OpenedSockets(forDatagramsOn: address, workers: workers)
        }
    }

    /// Whether an inherited socket is of the kind that a route listens on; whether it can be used is another matter.
    func isMeant(by kind: InheritedSocket.Kind) -> Bool {
        switch (kind, self) {
        case (.listening, .tcp), (.notListening, .tcp), (.datagrams, .udp): true
        default: false
        }
    }

    /// Explains why an inherited socket cannot be used; nil where its kind is right.
    func objection(to socket: InheritedSocket) -> String? {
        switch (socket.kind, self) {
        case (.missing, _): "there is no descriptor \(socket.number), whatever LISTEN_FDS says"
        case (.other, _): "it is no TCP or Unix socket for connections"
        case (.datagrams, .tcp): "it takes datagrams; a route of this protocol takes a socket for connections"
        case (.notListening, _): "nobody has called listen(2) for it; a socket unit says ListenStream"
        case (.datagrams, .udp): "inherited sockets for datagrams are not supported"
        case (.listening, .udp): "it takes connections; a route of protocol udp takes datagrams"
        case (.listening, .tcp): nil
        }
    }
}

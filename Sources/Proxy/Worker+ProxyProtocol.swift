internal import Access
internal import Configuration
internal import EventLoop
internal import Network
internal import Observability
internal import ProxyProtocol

extension Worker {
    /// The session of a client that a proxy has named takes the place of the one that has read so. From here on it is known
    /// who the client is, and it is let in or not; until here nothing was opened for it. Where nobody is named, the client is
    /// the proxy itself.
    func proxyHasSpoken(_ reader: ProxyHeaderReader, _ header: ProxyHeader) throws(ClientRefusal) {
        let client = header.endpoints?.source ?? reader.client
        let place = try reader.route.admit(client)
        guard let socket = reader.takeSocket() else { return }
        let session = makeSession(client, on: reader.route, through: reader.tls)
        session.receivedHeader = ReceivedProxyHeader(header)
        session.clientPlace = place
        replace(reader, by: session)
        session.start(with: socket)
        if isDraining || session.route.isRemoved { session.drain() }
    }

    /// A misconfigured proxy makes its mistake with every connection, so what differs is in the fields: the log sums up what
    /// it has said already.
    func reportInvalidProxyHeader(_ explanation: String, from proxy: SocketAddress, on route: WorkerRoute) {
        warn(
            "no valid PROXY header from a trusted proxy",
            [
                "route": .text(route.configuration.name), "proxy": .text(proxy.description),
                "reason": .text(explanation),
            ])
    }
}

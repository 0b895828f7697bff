internal import Configuration
internal import EventLoop
internal import Network
internal import Observability
internal import ProxyProtocol

extension Worker {
    /// A misconfigured proxy sends its mistake with every connection; once in a while is enough.
    private static let newsInterval = Duration.seconds(60)

    /// The session of a client that a proxy has named takes the place of the one that has read so.
    func proxyHasSpoken(_ reader: ProxyHeaderReader, _ header: ProxyHeader, _ socket: WatchedSocket) {
        let session = makeSession(header.endpoints?.source ?? reader.client, on: reader.route)
        session.receivedHeader = ReceivedProxyHeader(header)
        replace(reader, by: session)
        session.start(with: socket)
        if isDraining || session.route.isRemoved { session.drain() }
    }

    func reportInvalidProxyHeader(_ explanation: String, from proxy: SocketAddress, on route: WorkerRoute) {
        let now = MonotonicTime.coarse
        if let last = route.lastInvalidProxyHeader, now.since(last) < Self.newsInterval { return }
        route.lastInvalidProxyHeader = now
        warn(
            "no valid PROXY header from a trusted proxy: \(explanation)",
            ["route": .text(route.configuration.name), "proxy": .text(proxy.description)])
    }
}

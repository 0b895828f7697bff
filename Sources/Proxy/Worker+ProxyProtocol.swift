internal import Access
internal import Configuration
internal import EventLoop
internal import Network
internal import Observability
internal import ProxyProtocol

extension Worker {
    /// Lets in the client that a proxy has named, or does not: until here nothing was opened for it. Where nobody is named, the
    /// client is the proxy itself.
    func proxyHasSpoken(_ reader: ProxyHeaderReader, _ header: ProxyHeader) throws(ClientRefusal) {
        let place = try reader.route.admit(header.endpoints?.source ?? reader.client)
        reader.connection.note(header, holding: place)
        goOn(from: reader)
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

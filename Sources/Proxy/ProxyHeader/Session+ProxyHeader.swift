internal import Configuration
internal import Network
internal import ProxyProtocol
internal import TLS

extension Session {
    /// Whether the client has come over TLS to the proxy that named it.
    var hasComeOverTLS: Bool { connection.receivedHeader?.header.tls?.isUsed ?? false }

    /// Returns the PROXY header for the app, which precedes the client's bytes; nothing where none is sent.
    /// - Parameter socket: the client's socket.
    func proxyHeader(on socket: borrowing Socket) -> [UInt8] {
        guard let version = route.sentHeader else { return [] }
        let received = connection.receivedHeader?.header
        let ownTLS = tls?.details.map { ProxyHeader.TLS($0) }
        var header = ProxyHeader(uniqueID: received?.uniqueID, tls: ownTLS ?? received?.tls)
        if version == .v2, header.uniqueID == nil { header.uniqueID = worker.takeConnectionID() }
        // A client on an unnamed Unix socket has no address, and HAProxy takes no Unix sockets' names at all.
        if received?.endpoints != nil || client != .unix(path: "") {
            let destination = received?.endpoints?.destination ?? socket.localAddress ?? .unix(path: "")
            header.endpoints = ProxyHeader.Endpoints(source: client.unmapped, destination: destination.unmapped)
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(128)
        header.write(as: version, into: &bytes)
        return bytes
    }
}

extension ProxyHeader.TLS {
    fileprivate init(_ details: TLSDetails) {
        self.init(
            version: details.version, cipher: details.cipher,
            certificate: details.clientCertificate.map { Certificate(commonName: $0.commonName) },
            isResumed: details.isResumed)
    }
}

extension ProxyHeaderForm {
    /// The version of the header; nil for none.
    var version: ProxyHeader.Version? {
        switch self {
        case .off: nil
        case .v1: .v1
        case .v2: .v2
        }
    }
}

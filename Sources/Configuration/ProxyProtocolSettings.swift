public import Network

/// What a route says and hears of its clients in the PROXY protocol (`proxy_protocol`).
public struct ProxyProtocolSettings: Sendable, Equatable {
    /// Whether the ``trustedProxies`` begin their connections with a header.
    public var accept: Bool
    /// Who must send a header, and is believed. Whoever else connects is an ordinary client, without a header.
    public var trustedProxies: [TrustedPeer]
    /// From a proxy's being accepted to the end of its header.
    public var headerTimeout: Duration
    /// Which header each connection to the app begins with.
    public var send: ProxyHeaderForm

    public init(
        accept: Bool, trustedProxies: [TrustedPeer] = [], headerTimeout: Duration = .seconds(3),
        send: ProxyHeaderForm = .off
    ) {
        self.accept = accept
        self.trustedProxies = trustedProxies
        self.headerTimeout = headerTimeout
        self.send = send
    }

    /// Whether a connection from there begins with a header.
    public func expectsHeader(from peer: SocketAddress) -> Bool {
        accept && trustedProxies.contains(peer.unmapped)
    }
}

/// The form of a header of the PROXY protocol.
public enum ProxyHeaderForm: String, Sendable, CaseIterable {
    /// There is none.
    case off
    /// A line of text.
    case v1
    /// The binary form, which has room for more than addresses.
    case v2
}

extension ProxyProtocolSettings: KeyedMapping {
    public init() {
        self.init(accept: false)
    }

    static let place = "in 'proxy_protocol'"

    static let keys: [Key<ProxyProtocolSettings>] = [
        .scalar(
            "accept", .boolean, \.accept, option: "accept-proxy-protocol",
            help: "Whether the trusted proxies begin each connection with a header that names the client.",
            example: "true"),
        .list(
            "trusted_proxies", .trustedPeers, \.trustedProxies, option: "proxy-protocol-from",
            help: "Who must send such a header, and is believed; all others are ordinary clients.",
            example: "10.0.0.0/8"),
        .scalar(
            "header_timeout", .duration(atLeast: .milliseconds(1)), \.headerTimeout,
            help: "How long a trusted proxy may take for its header.", example: "5s"),
        .scalar(
            "send",
            .choice(synonyms: [
                "false": "off", "no": "off", "none": "off", "1": "v1", "text": "v1", "true": "v2", "on": "v2",
                "yes": "v2", "2": "v2", "binary": "v2",
            ]), \.send, option: "send-proxy-protocol",
            help: "Which header names the client to the app at the beginning of each connection.", example: "v2"),
    ]
}

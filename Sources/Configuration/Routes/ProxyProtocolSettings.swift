public import Network

/// The settings of the PROXY protocol, which names a route's clients (`proxy_protocol`).
public struct ProxyProtocolSettings: Settings, KeyedMapping {
    /// Whether the ``trustedProxies`` begin their connections with a header.
    @Setting(
        .scalar(
            "accept", .boolean, \Self.accept, option: "accept-proxy-protocol",
            help: "Whether trusted proxies begin each connection with a header that names the client.",
            example: "true"))
    public var accept: Bool = false

    /// The proxies that must send a header and are believed. All others are ordinary clients, without a header.
    @Setting(
        .list(
            "trusted_proxies", .trustedPeers, \Self.trustedProxies, option: "proxy-protocol-from",
            help: "The proxies that must send such a header and are believed; all others are ordinary clients.",
            example: "10.0.0.0/8"))
    public var trustedProxies: [TrustedPeer] = []

    /// The time limit from accepting a proxy's connection to the end of its header.
    @Setting(
        .scalar(
            "header_timeout", .duration(atLeast: .milliseconds(1)), \Self.headerTimeout,
            help: "The time limit for a trusted proxy's header.", example: "5s"))
    public var headerTimeout: Duration = .seconds(3)

    /// The header that each connection to the app begins with.
    @Setting(
        .scalar(
            "send",
            .choice(synonyms: [
                "false": "off", "no": "off", "none": "off", "1": "v1", "text": "v1", "true": "v2", "on": "v2",
                "yes": "v2", "2": "v2", "binary": "v2",
            ]), \Self.send, option: "send-proxy-protocol",
            help: "The header that names the client to the app at the beginning of each connection.", example: "v2"))
    public var send: ProxyHeaderForm = .off

    public init() {}

    static let place = "in 'proxy_protocol'"
    static let keys = taggedKeys()

    /// Whether a connection from this address begins with a header.
    public func expectsHeader(from peer: SocketAddress) -> Bool {
        accept && trustedProxies.contains(peer.unmapped)
    }
}

/// The form of a header of the PROXY protocol.
public enum ProxyHeaderForm: String, Sendable, CaseIterable {
    /// No header.
    case off
    /// A line of text.
    case v1
    /// The binary form, which has room for more than addresses.
    case v2
}

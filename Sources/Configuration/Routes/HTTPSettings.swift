public import Network

/// What a route with `protocol: http` does besides carrying bytes (`http`).
public struct HTTPSettings: Settings, KeyedMapping {
    /// Which Host field the app gets.
    @Setting(
        .scalar(
            "host", .host, \Self.host, option: "host",
            help: "Which Host field the app sees: the client's, the app's own address, or always the same name.",
            example: "upstream"))
    public var host: HostPolicy = .preserve

    /// Whose word on the client's address, scheme and host is believed; nobody's where there is none.
    @Setting(
        .list(
            "trusted_proxies", .trustedPeers, \Self.trustedProxies, option: "trusted-proxies",
            help: "Who is believed when saying in X-Forwarded fields and in Forwarded whom a request comes from.",
            example: "10.0.0.0/8"))
    public var trustedProxies: [TrustedPeer] = []

    /// Who may use the route.
    @Setting(
        .mapping(
            "basic_auth", \Self.basicAuth, help: "Who may use the route, by name and password.",
            example: "{ file: /etc/loopbridge/htpasswd }"))
    public var basicAuth: BasicAuthSettings = BasicAuthSettings()

    /// From a request's first byte, or from a connection's beginning, to the end of the request's head.
    @Setting(
        .scalar(
            "head_timeout", .duration(atLeast: .milliseconds(1)), \Self.headTimeout,
            help: "How long a client may take for the head of a request.", example: "5s"))
    public var headTimeout: Duration = .seconds(10)

    /// How long a request's body may be without a byte.
    @Setting(
        .scalar(
            "body_timeout", .duration(atLeast: .milliseconds(1)), \Self.bodyTimeout,
            help: "How long a client may go without sending a byte of a request's body.", example: "1m"))
    public var bodyTimeout: Duration = .seconds(30)

    /// From the end of a request, or from the last byte of it that the app took, to the end of the answer's head.
    @Setting(
        .scalar(
            "response_timeout", .duration(atLeast: .milliseconds(1)), \Self.responseTimeout,
            help: "How long the app may take until the head of its answer.", example: "5m"))
    public var responseTimeout: Duration = .seconds(60)

    /// How long a connection is kept open between two requests.
    @Setting(
        .scalar(
            "keep_alive_timeout", .duration(atLeast: .milliseconds(1)), \Self.keepAliveTimeout,
            help: "How long a client's connection is kept open between two requests.", example: "15s"))
    public var keepAliveTimeout: Duration = .seconds(60)

    /// The most bytes of a request's or an answer's head.
    @Setting(
        .scalar(
            "max_head_size", .size(1 << 10...256 << 10), \Self.maxHeadSize,
            help: "How large the head of a request, and of an answer, may be.", example: "64KiB"))
    public var maxHeadSize: Int = 32 << 10

    /// The most fields in such a head.
    @Setting(
        .scalar(
            "max_fields", .number(1...10_000), \Self.maxFields, unit: "fields",
            help: "How many fields the head of a request, and of an answer, may have.", example: "200"))
    public var maxFields: Int = 100

    /// The most bytes of a request's target, which is its URL without scheme and host.
    @Setting(
        .scalar(
            "max_target_length", .size(256...128 << 10), \Self.maxTargetLength,
            help: "How long a request's target, its URL without scheme and host, may be.", example: "16KiB"))
    public var maxTargetLength: Int = 8 << 10

    public init() {}

    static let place = "in 'http'"
    static let keys = taggedKeys()

    /// Whether somebody who connects from there is believed.
    public func trusts(_ peer: SocketAddress) -> Bool { trustedProxies.contains(peer) }
}

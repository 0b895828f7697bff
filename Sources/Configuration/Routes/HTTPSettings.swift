public import Network

/// The settings of a route with `protocol: http` (`http`).
public struct HTTPSettings: Settings, KeyedMapping {
    /// The Host field that the app gets.
    @Setting(
        .scalar(
            "host", .host, \Self.host, option: "host",
            help: "The Host field that the app gets: the client's, the app's own address, or a fixed name.",
            example: "upstream"))
    public var host: HostPolicy = .preserve

    /// The proxies that are believed about the client's address, scheme and host.
    @Setting(
        .list(
            "trusted_proxies", .trustedPeers, \Self.trustedProxies, option: "trusted-proxies",
            help: "The proxies whose X-Forwarded fields and Forwarded are believed about the client.",
            example: "10.0.0.0/8"))
    public var trustedProxies: [TrustedPeer] = []

    /// The users that may use the route.
    @Setting(
        .mapping(
            "basic_auth", \Self.basicAuth, help: "Access by user name and password.",
            example: "{ file: /etc/loopbridge/htpasswd }"))
    public var basicAuth: BasicAuthSettings = BasicAuthSettings()

    /// The time limit from a request's first byte, or from a connection's beginning, to the end of the request's head.
    @Setting(
        .scalar(
            "head_timeout", .duration(atLeast: .milliseconds(1)), \Self.headTimeout,
            help: "The time limit for the head of a request.", example: "5s"))
    public var headTimeout: Duration = .seconds(10)

    /// The longest time without a byte of a request's body.
    @Setting(
        .scalar(
            "body_timeout", .duration(atLeast: .milliseconds(1)), \Self.bodyTimeout,
            help: "The longest time without a byte of a request's body.", example: "1m"))
    public var bodyTimeout: Duration = .seconds(30)

    /// The time limit from the end of a request, or from the last byte of it that the app took, to the end of the
    /// response's head.
    @Setting(
        .scalar(
            "response_timeout", .duration(atLeast: .milliseconds(1)), \Self.responseTimeout,
            help: "The time limit for the app to send the head of its response.", example: "5m"))
    public var responseTimeout: Duration = .seconds(60)

    /// The longest time that a client's connection is kept open between two requests.
    @Setting(
        .scalar(
            "keep_alive_timeout", .duration(atLeast: .milliseconds(1)), \Self.keepAliveTimeout,
            help: "The longest time that a client's connection is kept open between two requests.", example: "15s"))
    public var keepAliveTimeout: Duration = .seconds(60)

    /// The most bytes of a request's or a response's head.
    @Setting(
        .scalar(
            "max_head_size", .size(1 << 10...256 << 10), \Self.maxHeadSize,
            help: "The largest head of a request or a response.", example: "64KiB"))
    public var maxHeadSize: Int = 32 << 10

    /// The most fields in such a head.
    @Setting(
        .scalar(
            "max_fields", .number(1...10_000), \Self.maxFields, unit: "fields",
            help: "The most fields in the head of a request or a response.", example: "200"))
    public var maxFields: Int = 100

    /// The most bytes of a request's target, which is its URL without scheme and host.
    @Setting(
        .scalar(
            "max_target_length", .size(256...128 << 10), \Self.maxTargetLength,
            help: "The longest target of a request: its URL without scheme and host.", example: "16KiB"))
    public var maxTargetLength: Int = 8 << 10

    public init() {}

    static let place = "in 'http'"
    static let keys = taggedKeys()

    /// Whether a proxy that connects from this address is believed.
    public func trusts(_ peer: SocketAddress) -> Bool { trustedProxies.contains(peer) }
}

public import Network

/// What a route with `protocol: http` does besides carrying bytes (`http`).
public struct HTTPSettings: Settings, KeyedMapping {
    /// Which Host field the app gets.
    @Setting(
        .scalar(
            "host", .host, \Self.host, option: "host",
            help: "The Host field that the app gets: the client's, the app's own address, or a fixed name.",
            example: "upstream"))
    public var host: HostPolicy = .preserve

    /// Whose word on the client's address, scheme and host is believed; nobody's where there is none.
    @Setting(
        .list(
            "trusted_proxies", .trustedPeers, \Self.trustedProxies, option: "trusted-proxies",
            help: "The proxies whose X-Forwarded fields and Forwarded are believed about the client.",
            example: "10.0.0.0/8"))
    public var trustedProxies: [TrustedPeer] = []

    /// Who may use the route.
    @Setting(
        .mapping(
            "basic_auth", \Self.basicAuth, help: "Access by user name and password.",
            example: "{ file: /etc/loopbridge/htpasswd }"))
    public var basicAuth: BasicAuthSettings = BasicAuthSettings()

    /// From a request's first byte, or from a connection's beginning, to the end of the request's head.
    @Setting(
        .scalar(
            "head_timeout", .duration(atLeast: .milliseconds(1)), \Self.headTimeout,
            help: "The time limit for the head of a request.", example: "5s"))
    public var headTimeout: Duration = .seconds(10)

    /// How long a request's body may be without a byte.
    @Setting(
        .scalar(
            "body_timeout", .duration(atLeast: .milliseconds(1)), \Self.bodyTimeout,
            help: "The longest time without a byte of a request's body.", example: "1m"))
    public var bodyTimeout: Duration = .seconds(30)

    /// From the end of a request, or from the last byte of it that the app took, to the end of the answer's head.
    @Setting(
        .scalar(
            "response_timeout", .duration(atLeast: .milliseconds(1)), \Self.responseTimeout,
            help: "The time limit for the app to send the head of its response.", example: "5m"))
    public var responseTimeout: Duration = .seconds(60)

    /// How long a connection is kept open between two requests.
    @Setting(
        .scalar(
            "keep_alive_timeout", .duration(atLeast: .milliseconds(1)), \Self.keepAliveTimeout,
            help: "The longest time that a client's connection is kept open between two requests.", example: "15s"))
    public var keepAliveTimeout: Duration = .seconds(60)

    /// The most bytes of a request's or an answer's head.
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

    /// Whether somebody who connects from there is believed.
    public func trusts(_ peer: SocketAddress) -> Bool { trustedProxies.contains(peer) }
}

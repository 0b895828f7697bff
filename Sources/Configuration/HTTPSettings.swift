public import Network

/// What a route with `protocol: http` does besides carrying bytes (`http`).
public struct HTTPSettings: Sendable, Equatable {
    /// Which Host field the app gets.
    public var host: HostPolicy
    /// Whose word on the client's address, scheme and host is believed; nobody's where there is none.
    public var trustedProxies: [TrustedPeer]
    /// Who may use the route.
    public var basicAuth: BasicAuthSettings
    /// From a request's first byte, or from a connection's beginning, to the end of the request's head.
    public var headTimeout: Duration
    /// How long a request's body may be without a byte.
    public var bodyTimeout: Duration
    /// From the end of a request, or from the last byte of it that the app took, to the end of the answer's head.
    public var responseTimeout: Duration
    /// How long a connection is kept open between two requests.
    public var keepAliveTimeout: Duration
    /// The most bytes of a request's or an answer's head.
    public var maxHeadSize: Int
    /// The most fields in such a head.
    public var maxFields: Int
    /// The most bytes of a request's target, which is its URL without scheme and host.
    public var maxTargetLength: Int

    public init(
        host: HostPolicy = .preserve, trustedProxies: [TrustedPeer] = [],
        basicAuth: BasicAuthSettings = BasicAuthSettings(), headTimeout: Duration = .seconds(10),
        bodyTimeout: Duration = .seconds(30), responseTimeout: Duration = .seconds(60),
        keepAliveTimeout: Duration = .seconds(60), maxHeadSize: Int = 32 << 10, maxFields: Int = 100,
        maxTargetLength: Int = 8 << 10
    ) {
        self.host = host
        self.trustedProxies = trustedProxies
        self.basicAuth = basicAuth
        self.headTimeout = headTimeout
        self.bodyTimeout = bodyTimeout
        self.responseTimeout = responseTimeout
        self.keepAliveTimeout = keepAliveTimeout
        self.maxHeadSize = maxHeadSize
        self.maxFields = maxFields
        self.maxTargetLength = maxTargetLength
    }

    /// Whether somebody who connects from there is believed.
    public func trusts(_ peer: SocketAddress) -> Bool { trustedProxies.contains(peer) }
}

extension HTTPSettings: KeyedMapping {
    public init() {
        self.init(host: .preserve)
    }

    static let place = "in 'http'"

    static let keys: [Key<HTTPSettings>] = [
        .scalar(
            "host", .host, \.host, option: "host",
            help: "Which Host field the app sees: the client's, the app's own address, or always the same name.",
            example: "upstream"),
        .list(
            "trusted_proxies", .trustedPeers, \.trustedProxies, option: "trusted-proxies",
            help: "Who is believed when saying in X-Forwarded fields and in Forwarded whom a request comes from.",
            example: "10.0.0.0/8"),
        .mapping(
            "basic_auth", \.basicAuth, help: "Who may use the route, by name and password.",
            example: "{ file: /etc/loopbridge/htpasswd }"),
        .scalar(
            "head_timeout", .duration(atLeast: .milliseconds(1)), \.headTimeout,
            help: "How long a client may take for the head of a request.", example: "5s"),
        .scalar(
            "body_timeout", .duration(atLeast: .milliseconds(1)), \.bodyTimeout,
            help: "How long a client may go without sending a byte of a request's body.", example: "1m"),
        .scalar(
            "response_timeout", .duration(atLeast: .milliseconds(1)), \.responseTimeout,
            help: "How long the app may take until the head of its answer.", example: "5m"),
        .scalar(
            "keep_alive_timeout", .duration(atLeast: .milliseconds(1)), \.keepAliveTimeout,
            help: "How long a client's connection is kept open between two requests.", example: "15s"),
        .scalar(
            "max_head_size", .size(1 << 10...256 << 10), \.maxHeadSize,
            help: "How large the head of a request, and of an answer, may be.", example: "64KiB"),
        .scalar(
            "max_fields", .number(1...10_000), \.maxFields, unit: "fields",
            help: "How many fields the head of a request, and of an answer, may have.", example: "200"),
        .scalar(
            "max_target_length", .size(256...128 << 10), \.maxTargetLength,
            help: "How long a request's target, its URL without scheme and host, may be.", example: "16KiB"),
    ]
}

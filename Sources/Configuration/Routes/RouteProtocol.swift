/// The protocol that a route carries. The raw value is its word in the configuration.
public enum RouteProtocol: String, Sendable, CaseIterable {
    /// Bytes, whatever they mean.
    case tcp
    /// Requests and responses of HTTP/1.0 and HTTP/1.1.
    case http
    /// Datagrams.
    case udp

    /// The word in the configuration.
    public var word: String { rawValue }

    /// The transport of its sockets; different transports share no ports.
    public var transport: Transport { self == .udp ? .udp : .tcp }

    public enum Transport: Sendable, Hashable {
        case tcp
        case udp
    }

    /// Whether clients can speak TLS.
    var takesTLS: Bool { transport == .tcp }
    /// Whether the settings of HTTP have an effect.
    var takesHTTP: Bool { self == .http }
    /// The default of ``Route/idleTimeout``: short for flows of datagrams, whose only end is silence.
    var usualIdleTimeout: Duration { transport == .udp ? .seconds(60) : .seconds(3600) }
}

extension ValueKind<RouteProtocol> {
    static var `protocol`: ValueKind { choice(synonyms: ["https": "http", "http1": "http", "http/1.1": "http"]) }
}

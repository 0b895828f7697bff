/// What a route carries.
public enum RouteProtocol: Sendable, Equatable {
    /// Bytes, whatever they mean.
    case tcp
    /// Requests and answers of HTTP/1.0 and HTTP/1.1.
    case http
    /// Datagrams.
    case udp

    /// What sockets it takes: those of different transports share no ports.
    public var transport: Transport { self == .udp ? .udp : .tcp }

    /// As the configuration has it.
    public var word: String {
        switch self {
        case .tcp: "tcp"
        case .http: "http"
        case .udp: "udp"
        }
    }

    public enum Transport: Sendable, Hashable {
        case tcp
        case udp
    }
}

extension ValueKind<RouteProtocol> {
    static var `protocol`: ValueKind {
        words(
            ["tcp", "http", "udp"], synonyms: ["https": "http", "http1": "http", "http/1.1": "http"],
            parse: { text throws(ValueError) in
                switch text {
                case "tcp": return .tcp
                case "http": return .http
                case "udp": return .udp
                default: return nil
                }
            },
            write: \.word)
    }
}

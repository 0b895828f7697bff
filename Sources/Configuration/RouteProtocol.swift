/// What a route carries.
public enum RouteProtocol: Sendable, Equatable {
    /// Bytes, whatever they mean.
    case tcp
    /// Requests and answers of HTTP/1.0 and HTTP/1.1.
    case http
}

extension ValueKind<RouteProtocol> {
    static var `protocol`: ValueKind {
        words(
            ["tcp", "http"], synonyms: ["https": "http", "http1": "http", "http/1.1": "http"],
            parse: { text throws(ValueError) in
                switch text {
                case "tcp": return .tcp
                case "http": return .http
                case "udp": throw ValueError("protocol 'udp' is not supported yet; expected tcp or http")
                default: return nil
                }
            },
            write: { value in
                switch value {
                case .tcp: "tcp"
                case .http: "http"
                }
            })
    }
}

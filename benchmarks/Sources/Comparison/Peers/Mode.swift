/// What a proxy takes what it carries for.
public enum Mode: String, CaseIterable, Codable, Sendable {
    /// Bytes, whatever they mean: each client has a connection to the app of its own.
    case tcp
    /// Requests and answers: all clients share connections to the app.
    case http
    /// The same for clients that speak TLS, which ends at the proxy.
    case tls
    /// Datagrams: each client has a socket to the app of its own.
    case udp

    /// What it is, in a sentence.
    public var title: String {
        switch self {
        case .tcp: "TCP"
        case .http: "HTTP"
        case .tls: "TLS"
        case .udp: "UDP"
        }
    }
}

public import Network

/// The address of a route's app.
public enum UpstreamAddress: Sendable, Hashable {
    /// 127.0.0.1 or ::1, whichever the app has chosen.
    case localhost(port: UInt16)
    /// One address, or a Unix socket.
    case address(SocketAddress)

    /// The addresses to try, in this order.
    public var candidates: [SocketAddress] {
        switch self {
        case .localhost(let port): [.ip(.loopbackV4, port: port), .ip(.loopbackV6, port: port)]
        case .address(let address): [address]
        }
    }

    /// The app as a URL names it: `localhost:8000`, `127.0.0.1` where the port is 80, `[::1]:8000`; `localhost` for a Unix
    /// socket.
    public var urlAuthority: String {
        switch self {
        case .address(.unix): return "localhost"
        case .localhost(let port): return Self.authority("localhost", port)
        // A zone means something on this machine only (RFC 6874 section 1).
        case .address(.ip(let address, let port, _)):
            return Self.authority(address.family == .v6 ? "[\(address)]" : "\(address)", port)
        }
    }

    /// Clients leave out the port that goes without saying.
    private static func authority(_ host: String, _ port: UInt16) -> String {
        port == 80 ? host : "\(host):\(port)"
    }

    /// Whether the app may be in 127.0.0.0/8.
    var isOnLoopbackV4: Bool {
        candidates.contains(where: \.isOnLoopbackV4)
    }

    /// The port where the app listens on loopback; nil where it listens elsewhere.
    var loopbackPort: UInt16? {
        switch self {
        case .localhost(let port): port
        case .address(let address): address.isOnLoopback ? address.port : nil
        }
    }
}

extension UpstreamAddress: CustomStringConvertible {
    /// `localhost:8000`, `127.0.0.1:8000`, `unix:/run/app.sock`.
    public var description: String {
        switch self {
        case .localhost(let port): "localhost:\(port)"
        case .address(let address): address.description
        }
    }
}

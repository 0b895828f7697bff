internal import Configuration
internal import Discovery
internal import EventLoop
internal import Glibc
internal import Network

/// The presence of a route's app, found out without connecting to it: a single-threaded server would be busy with a connection
/// that only looks.
enum AppPresence {
    /// The app listens on this address.
    case listening(SocketAddress)
    case absent
    /// The app is not on this machine's loopback, so that only a connection would tell.
    case unknown

    /// - Parameter endpoints: the listening sockets, found out once for many routes.
    init(of upstream: UpstreamAddress, among endpoints: [ListeningEndpoint]) {
        self = .absent
        for candidate in upstream.candidates {
            switch candidate {
            case .ip(let address, let port, _) where address.isLoopback:
                if let endpoint = endpoints.first(where: { $0.port == port && $0.accepts(address) }) {
                    self = .listening(.ip(endpoint.address, port: port))
                    return
                }
            case .ip: self = .unknown
            case .unix(let path):
                let isThere = candidate.isAbstract ? Self.listsUnixSocket(path) : access(path, F_OK) == 0
                if isThere { self = .listening(candidate) }
            }
        }
    }

    /// Whether there is a Unix socket of this name. One without a file is seen in the kernel's table only.
    private static func listsUnixSocket(_ name: String) -> Bool {
        (Descriptor.contents(of: "/proc/net/unix") ?? "").split(separator: "\n").contains { $0.hasSuffix(" \(name)") }
    }

    /// Returns the end of the line that announces a route.
    func description(hold: Duration) -> String {
        switch self {
        case .listening(let address): "where the app listens (\(address))"
        case .absent where hold == .zero: "where nobody listens yet"
        case .absent: "where nobody listens yet: clients wait up to \(durationText(hold))"
        case .unknown: "which is not on this machine"
        }
    }
}

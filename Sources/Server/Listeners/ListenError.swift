internal import Configuration
internal import Discovery
internal import EventLoop
internal import Glibc
internal import Network

/// The failure to open a listening socket, explained for the person who has to do something about it.
public struct ListenError: Error, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }

    init(_ address: SocketAddress, _ error: SystemError, over transport: RouteProtocol.Transport = .tcp) {
        description = "cannot listen on \(address)\(transport.suffix): " + Self.explanation(address, transport, error)
    }

    private static func explanation(
        _ address: SocketAddress, _ transport: RouteProtocol.Transport, _ error: SystemError
    ) -> String {
        switch error.code {
        case EADDRINUSE:
            return "the port is taken" + holder(of: address, transport)
        case EACCES:
            return "permission denied; ports below 1024 need root, CAP_NET_BIND_SERVICE, or a lower "
                + "net.ipv4.ip_unprivileged_port_start"
        case EADDRNOTAVAIL:
            return "no interface has this address"
        default:
            return error.reason
        }
    }

    /// Returns ` by python3 (pid 4711), which listens on 0.0.0.0:8000`, as far as that can be seen.
    private static func holder(of address: SocketAddress, _ transport: RouteProtocol.Transport) -> String {
        guard case .ip(let wanted, let port, _) = address else { return "" }
        let holders = (transport.listeningEndpoints ?? []).filter { endpoint in
            endpoint.port == port
                && (endpoint.accepts(wanted) || (wanted.isUnspecified && endpoint.address.family == wanted.family))
        }
        guard let endpoint = holders.first else { return "" }
        let holding = "which listens on \(SocketAddress.ip(endpoint.address, port: port))"
        let processes = ProcessDescription.owning(socketsWith: Set(holders.map(\.inode)))
        if processes.isEmpty { return " by a process that this user may not see, \(holding)" }
        return " by \(processes.map(\.description).joined(separator: " and ")), \(holding)"
    }
}

public import Network

/// An address where a route accepts clients.
public enum ListenAddress: Sendable, Hashable {
    /// One address, which may be a wildcard. Port 0 leaves the choice to the kernel.
    case address(SocketAddress)
    /// The same-port rule: one listener for each non-loopback address of the interfaces, because a wildcard
    /// cannot share the port with the app that listens on loopback.
    case everyNonLoopback(port: UInt16, families: [IPAddress.Family])
    /// A Unix socket at a path, or with an abstract name behind its `@`, and who may connect to it.
    case unix(path: String, UnixSocketAccess)
    /// The sockets of this name that whoever started the program has opened for it (sd_listen_fds(3)); nil for all of them that
    /// no other listener asks for.
    case inherited(name: String?)
}

extension ListenAddress: CustomStringConvertible {
    /// The text that gives this address again in a route whose upstream stays the same: `192.0.2.1:8080`,
    /// and for the same-port rule `*:8000`, `0.0.0.0:8000` or `[::]:8000`. Of a Unix socket it is `unix:/run/web.sock`,
    /// without saying whose its file is, and of inherited sockets `systemd:web` or `systemd`.
    public var description: String {
        switch self {
        case .address(let address): address.description
        case .everyNonLoopback(let port, [.v4]): "0.0.0.0:\(port)"
        case .everyNonLoopback(let port, [.v6]): "[::]:\(port)"
        case .everyNonLoopback(let port, _): "*:\(port)"
        case .unix(let path, _): "unix:\(path)"
        case .inherited(let name): "systemd" + (name.map { ":\($0)" } ?? "")
        }
    }

    /// The listener's name in diagnostics, which tells a wildcard from the same-port rule.
    var inWords: String {
        switch self {
        case .address, .unix, .inherited: description
        case .everyNonLoopback(let port, [.v4]): "every non-loopback IPv4 address on port \(port)"
        case .everyNonLoopback(let port, [.v6]): "every non-loopback IPv6 address on port \(port)"
        case .everyNonLoopback(let port, _): "every non-loopback address on port \(port)"
        }
    }
}

internal import Network

/// A listener as it was written; the sockets that it means depend on the upstream too.
enum ListenSpec: Sendable, Equatable {
    /// Both wildcards: `8080`, `*:8080`.
    case wildcards(port: UInt16)
    case address(SocketAddress)
    /// A path, or an abstract name behind its `@`.
    case unix(path: String, UnixSocketAccess)
    /// The sockets of this name that a service manager has passed; nil for all that are not asked for otherwise.
    case inherited(name: String?)

    init(_ host: AddressPart, port: UInt16) throws(ValueError) {
        switch host {
        case .wildcard: self = .wildcards(port: port)
        case .address(let address, let zone): self = .address(.ip(address, port: port, zone: zone))
        case .localhost, .number, .other:
            throw ValueError(
                "\(quoted(host.text)) is no address to listen on; "
                    + "expected an IPv4 address, an IPv6 address in brackets, or *")
        }
    }

    /// The spec that a resolved address came from.
    init(_ address: ListenAddress) {
        switch address {
        case .address(let address): self = .address(address)
        case .unix(let path, let access): self = .unix(path: path, access)
        case .inherited(let name): self = .inherited(name: name)
        case .everyNonLoopback(let port, [.v4]): self = .address(.ip(.anyV4, port: port))
        case .everyNonLoopback(let port, [.v6]): self = .address(.ip(.anyV6, port: port))
        case .everyNonLoopback(let port, _): self = .wildcards(port: port)
        }
    }

    /// The listeners that this means in front of an upstream.
    ///
    /// A wildcard cannot be bound while the app listens on loopback at the same port, nor the app's address
    /// after it; so such a wildcard is spread over the non-loopback addresses.
    func resolved(for upstream: UpstreamAddress) -> [ListenAddress] {
        switch self {
        case .wildcards(let port) where port == upstream.loopbackPort:
            [.everyNonLoopback(port: port, families: [.v4, .v6])]
        case .wildcards(let port):
            [.address(.ip(.anyV4, port: port)), .address(.ip(.anyV6, port: port))]
        case .address(.ip(let address, let port, _)) where address.isUnspecified && port == upstream.loopbackPort:
            [.everyNonLoopback(port: port, families: [address.family])]
        case .address(let address): [.address(address)]
        case .unix(let path, let access): [.unix(path: path, access)]
        case .inherited(let name): [.inherited(name: name)]
        }
    }
}

internal import Network

/// The address that a listener takes, in a form that can be looked up: a listener conflicts with another when the
/// other holds a claim that this one cannot stand.
enum ListenerClaim: Hashable {
    /// This very address.
    case exact(SocketAddress)
    /// A single address of the family.
    case single(IPAddress.Family, port: UInt16)
    /// A single address of the family, among those that the same-port rule covers.
    case singleOutside(IPAddress.Family, port: UInt16)
    /// All addresses of the family.
    case wildcard(IPAddress.Family, port: UInt16)
    /// All non-loopback addresses of the family.
    case spread(IPAddress.Family, port: UInt16)
    /// The inherited sockets of this name.
    case inherited(name: String?)
}

extension ListenAddress {
    /// The addresses that the listener takes; none for port 0, since the kernel gives each such listener another port.
    var claims: [ListenerClaim] {
        switch self {
        case .address(.unix), .address(.ip(_, 0, _)): []
        case .unix(let path, _): [.exact(.unix(path: path))]
        case .inherited(let name): [.inherited(name: name)]
        case .everyNonLoopback(let port, let families):
            families.map { .spread($0, port: port) }
        case .address(.ip(let address, let port, _)) where address.isUnspecified:
            [.wildcard(address.family, port: port)]
        case .address(.ip(let address, let port, let zone)):
            [.exact(.ip(address, port: port, zone: zone)), .single(address.family, port: port)]
                + (address.isSpreadOver ? [.singleOutside(address.family, port: port)] : [])
        }
    }

    /// The claims of other listeners that conflict with this one.
    var conflicts: [ListenerClaim] {
        switch self {
        case .address(.unix), .address(.ip(_, 0, _)): []
        case .unix(let path, _): [.exact(.unix(path: path))]
        case .inherited(let name): [.inherited(name: name)]
        case .everyNonLoopback(let port, let families):
            families.flatMap { family -> [ListenerClaim] in
                [.spread(family, port: port), .wildcard(family, port: port), .singleOutside(family, port: port)]
            }
        case .address(.ip(let address, let port, _)) where address.isUnspecified:
            [
                .wildcard(address.family, port: port), .single(address.family, port: port),
                .spread(address.family, port: port),
            ]
        case .address(.ip(let address, let port, let zone)):
            [.exact(.ip(address, port: port, zone: zone)), .wildcard(address.family, port: port)]
                + (address.isSpreadOver ? [.spread(address.family, port: port)] : [])
        }
    }
}

extension IPAddress {
    /// Whether the same-port rule may give this address a listener: not loopback, nor IPv6 link-local.
    fileprivate var isSpreadOver: Bool {
        !isLoopback && !(family == .v6 && isLinkLocal)
    }
}

internal import Network

/// Where to listen, as it was written; what it means depends on the upstream too.
enum ListenSpec: Sendable, Equatable {
    /// Both wildcards: `8080`, `*:8080`.
    case wildcards(port: UInt16)
    case address(SocketAddress)

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
        }
    }
}

extension ValueKind<ListenSpec> {
    static var listen: ValueKind {
        ValueKind(
            "a port or ADDRESS:PORT", type: "port or `ADDRESS:PORT`", placeholder: "ADDRESS",
            schemas: [
                .integer(0...65_535), .pattern("^[0-9]{1,5}$"),
                .pattern("^(\\*|[0-9]+(\\.[0-9]+){3}|\\[[0-9A-Fa-f:.]+(%[0-9]+)?\\]):[0-9]{1,5}$"),
            ],
            parse: { text throws(ValueError) in
                let address = try AddressText(text)
                guard address.unixPath == nil else {
                    throw ValueError("listening on a Unix socket is not supported yet")
                }
                switch address.parts.count {
                case 1 where address.parts[0].isNumber:
                    return .wildcards(port: try address.parts[0].port(lowest: 0))
                case 2: return try ListenSpec(address.parts[0], port: try address.parts[1].port(lowest: 0))
                default: return nil
                }
            },
            write: { spec in
                switch spec {
                case .wildcards(let port): "*:\(port)"
                case .address(let address): address.description
                }
            })
    }
}

extension SocketAddress {
    /// An IPv4-mapped IPv6 address as the IPv4 address that it means; any other as it is. The first is how a listener for both
    /// families, which somebody else may have made, knows its IPv4 clients.
    public var unmapped: SocketAddress {
        guard case .ip(let address, let port, let zone) = self else { return self }
        return .ip(address.unmapped, port: port, zone: zone)
    }
}

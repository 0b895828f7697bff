import Glibc

/// Connections that have had one request each and then stay open and silent.
public final class IdleConnections {
    private let connections: KeptConnections

    /// Opens them, one after the other.
    /// - Parameters:
    ///   - host: where the proxy listens, an IPv4 address.
    ///   - port: 1 to 65535.
    ///   - count: how many.
    public init(host: String, port: Int, count: Int) throws {
        connections = try KeptConnections(host: host, port: port, count: count)
    }

    /// How many are open.
    public var count: Int { connections.descriptors.count }
}

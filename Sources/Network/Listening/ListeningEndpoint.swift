/// A TCP socket of this network namespace on which somebody listens, or a UDP socket that anybody may write to.
public struct ListeningEndpoint: Hashable, Sendable {
    public let address: IPAddress
    public let port: UInt16
    /// The number that ties the socket to whoever has it open (proc(5), /proc/PID/fd).
    public let inode: UInt64
    /// Whether a socket on IPv6 takes IPv6 only (IPV6_V6ONLY, ipv6(7)); nil where that cannot be seen.
    public let isV6Only: Bool?

    public init(address: IPAddress, port: UInt16, inode: UInt64, isV6Only: Bool? = nil) {
        self.address = address
        self.port = port
        self.inode = inode
        self.isV6Only = isV6Only
    }

    /// Whether connections to an address of this machine would arrive here. A socket on [::] takes IPv4 too unless it
    /// is known not to.
    public func accepts(_ destination: IPAddress) -> Bool {
        if address == destination { return true }
        return switch (address, destination.family) {
        case (.anyV4, .v4), (.anyV6, .v6): true
        case (.anyV6, .v4): isV6Only != true
        default: false
        }
    }

    /// Whether only this machine (or container) itself can reach it.
    public var isLoopbackOnly: Bool { address.isLoopback }
}

internal import EventLoop
internal import Glibc

/// The ports from which the kernel picks the source of a connection (ip(7), ip_local_port_range).
public enum EphemeralPorts {
    /// As the kernel had it when it was first asked for.
    public static let range: ClosedRange<UInt16> = {
        let bounds = Descriptor.contents(of: "/proc/sys/net/ipv4/ip_local_port_range")?
            .split(whereSeparator: \.isWhitespace).compactMap { UInt16($0) }
        guard let bounds, bounds.count == 2, bounds[0] <= bounds[1] else { return 32768...60999 }
        return bounds[0]...bounds[1]
    }()

    /// Whether a socket that is bound to no port in particular gets every second port of the range only: those an odd number
    /// above its first. Linux does that while one of them is free; other kernels that look like it need not.
    ///
    /// Found out once, by binding some sockets.
    public static let givesEverySecond: Bool = {
        // All odd by chance once in 65,536 times.
        for _ in 0..<16 {
            guard let port = try? portOfNewSocket(), range.contains(port), !(port - range.lowerBound).isMultiple(of: 2)
            else { return false }
        }
        return true
    }()

    private static func portOfNewSocket() throws(SystemError) -> UInt16? {
        let address = SocketAddress.ip(.loopbackV4, port: 0)
        let socket = try Socket(toReach: address)
        guard address.withKernelForm({ bind(socket.number, $0, $1) }) == 0 else { throw SystemError("bind") }
        return socket.localAddress?.port
    }
}

internal import EventLoop

/// The ports from which the kernel picks the source of a connection (ip(7), ip_local_port_range).
public enum EphemeralPorts {
    /// As the kernel had it when it was first asked for.
    public static let range: ClosedRange<UInt16> = {
        let bounds = Descriptor.contents(of: "/proc/sys/net/ipv4/ip_local_port_range")?
            .split(whereSeparator: \.isWhitespace).compactMap { UInt16($0) }
        guard let bounds, bounds.count == 2, bounds[0] <= bounds[1] else { return 32768...60999 }
        return bounds[0]...bounds[1]
    }()
}

internal import CLinux
public import EventLoop
internal import Glibc

/// An address of one of this network namespace's interfaces.
public struct InterfaceAddress: Hashable, Sendable {
    public let address: IPAddress
    /// The interface's index, which is the zone of a link-local address.
    public let interface: UInt32
    /// Not usable yet: its uniqueness is still being checked (IFA_F_TENTATIVE, RFC 4862 section 5.4).
    public let isTentative: Bool
}

/// The addresses of this network namespace's interfaces, and news of their changes (rtnetlink(7)).
///
/// Needs no privileges. Belongs to its loop's thread.
public final class InterfaceAddresses {
    private let socket: NetlinkSocket
    private var event: IOEvent?
    private let onChange: () -> Void

    /// Follows the addresses.
    /// - Parameter onChange: called after one or more addresses have come, changed or gone; read ``current()`` then.
    /// - Throws: ``SystemError`` when the kernel gives no netlink socket.
    public init(on loop: EventLoop, onChange: @escaping () -> Void) throws(SystemError) {
        socket = try NetlinkSocket(NETLINK_ROUTE, groups: UInt32(RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR))
        self.onChange = onChange
        // A kernel that cannot hand the news over is asked again when there is more of it, not at once and without end.
        // The event is its own, and goes with it.
        event = try IOEvent(socket.number, on: loop, for: .readable, trigger: .edge) { [unowned self] _ in
            // What the messages say is not looked at: after any of them, and after an overflow that lost some,
            // the whole list is read anew, so the picture cannot drift from the truth.
            socket.drain()
            self.onChange()
        }
    }

    deinit {
        event = nil
    }

    /// Asks the kernel for all addresses at this moment (RTM_GETADDR).
    /// - Throws: ``SystemError`` when the kernel does not answer.
    public static func current() throws(SystemError) -> [InterfaceAddress] {
        var addresses: [InterfaceAddress] = []
        try NetlinkSocket(NETLINK_ROUTE).dump(type: CInt(RTM_GETADDR), body: ifaddrmsg()) { header in
            guard CInt(header.pointee.nlmsg_type) == CInt(RTM_NEWADDR) else { return }
            address(in: header).map { addresses.append($0) }
        }
        return addresses
    }

    private static func address(in header: UnsafePointer<nlmsghdr>) -> InterfaceAddress? {
        guard let payload = clinux_netlink_payload(header, MemoryLayout<ifaddrmsg>.size) else { return nil }
        let message = payload.load(as: ifaddrmsg.self)
        var length = 0
        // IFA_LOCAL is the interface's own address on a point-to-point link; elsewhere both are the same.
        guard
            let bytes = clinux_address_attribute(header, CInt(IFA_LOCAL), &length)
                ?? clinux_address_attribute(header, CInt(IFA_ADDRESS), &length)
        else { return nil }
        let address: IPAddress
        switch (CInt(message.ifa_family), length) {
        case (AF_INET, 4): address = IPAddress(bytes.loadUnaligned(as: in_addr.self))
        case (AF_INET6, 16): address = IPAddress(bytes.loadUnaligned(as: in6_addr.self))
        default: return nil
        }
        return InterfaceAddress(
            address: address, interface: message.ifa_index,
            isTentative: message.ifa_flags & UInt8(IFA_F_TENTATIVE) != 0
                && message.ifa_flags & UInt8(IFA_F_OPTIMISTIC) == 0)
    }
}

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
    private let descriptor: Descriptor
    private var event: IOEvent?
    private let onChange: () -> Void

    /// Follows the addresses.
    /// - Parameter onChange: called after one or more addresses have come, changed or gone; read ``current()`` then.
    /// - Throws: ``SystemError`` when the kernel gives no netlink socket.
    public init(on loop: EventLoop, onChange: @escaping () -> Void) throws(SystemError) {
        descriptor = try Self.openSocket(groups: UInt32(RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR))
        self.onChange = onChange
        event = try IOEvent(self.descriptor.number, on: loop, for: .readable, trigger: .level) { [unowned self] _ in
            drain()
            self.onChange()
        }
    }

    deinit {
        event = nil
    }

    /// What the messages say is not looked at: after any of them, and after an overflow (ENOBUFS) that lost
    /// some, the whole list is read anew, so the picture cannot drift from the truth.
    private func drain() {
        withUnsafeTemporaryAllocation(byteCount: 8192, alignment: 8) { buffer in
            while recv(descriptor.number, buffer.baseAddress, buffer.count, 0) > 0 || errno == ENOBUFS {}
        }
    }

    /// Asks the kernel for all addresses at this moment (RTM_GETADDR).
    /// - Throws: ``SystemError`` when the kernel does not answer.
    public static func current() throws(SystemError) -> [InterfaceAddress] {
        let descriptor = try openSocket(groups: 0)
        try request(on: descriptor)
        var addresses: [InterfaceAddress] = []
        let bytes = 64 << 10
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 8)
        defer { buffer.deallocate() }
        while true {
            var ready = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
            // The kernel has the answer ready before the request returns; the limit is for a kernel gone wrong.
            guard poll(&ready, 1, 1000) == 1 else { throw SystemError("netlink", code: ETIMEDOUT) }
            var remaining = recv(descriptor.number, buffer, bytes, 0)
            guard remaining >= 0 else {
                if errno == EINTR { continue }
                throw SystemError("recv")
            }
            var message = clinux_netlink_first(buffer, remaining)
            while let header = message {
                switch CInt(header.pointee.nlmsg_type) {
                case NLMSG_DONE, NLMSG_ERROR: return addresses
                case CInt(RTM_NEWADDR): address(in: header).map { addresses.append($0) }
                default: break
                }
                message = clinux_netlink_next(header, &remaining)
            }
        }
    }

    private static func openSocket(groups: UInt32) throws(SystemError) -> Descriptor {
        let number = clinux_socket(AF_NETLINK, CInt(SOCK_RAW.rawValue), NETLINK_ROUTE)
        guard number >= 0 else { throw SystemError("socket") }
        let descriptor = Descriptor(owning: number)
        var name = sockaddr_nl()
        name.nl_family = sa_family_t(AF_NETLINK)
        name.nl_groups = groups
        let bound = withUnsafePointer(to: &name) { name in
            name.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(number, $0, socklen_t(MemoryLayout<sockaddr_nl>.size))
            }
        }
        guard bound == 0 else { throw SystemError("bind") }
        return descriptor
    }

    private static func request(on descriptor: borrowing Descriptor) throws(SystemError) {
        struct Request {
            var header = nlmsghdr()
            var message = ifaddrmsg()
        }
        var request = Request()
        request.header.nlmsg_len = UInt32(MemoryLayout<Request>.size)
        request.header.nlmsg_type = UInt16(RTM_GETADDR)
        request.header.nlmsg_flags = UInt16(NLM_F_REQUEST | NLM_F_DUMP)
        request.message.ifa_family = UInt8(AF_UNSPEC)
        guard send(descriptor.number, &request, MemoryLayout<Request>.size, 0) >= 0 else { throw SystemError("send") }
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

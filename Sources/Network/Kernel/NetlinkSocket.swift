internal import CLinux
internal import EventLoop
internal import Glibc

/// A socket to ask the kernel by, or to be told by it (netlink(7)).
struct NetlinkSocket: ~Copyable {
    private let descriptor: Descriptor

    private static let mostReads = 1024

    /// - Parameters:
    ///   - family: NETLINK_ROUTE, NETLINK_SOCK_DIAG.
    ///   - groups: of which news to be told.
    /// - Throws: ``SystemError``; EPERM or EPROTONOSUPPORT where a sandbox refuses the family.
    init(_ family: CInt, groups: UInt32 = 0) throws(SystemError) {
        descriptor = try Self.open(family, groups: groups)
    }

    private static func open(_ family: CInt, groups: UInt32) throws(SystemError) -> Descriptor {
        let number = clinux_socket(AF_NETLINK, CInt(SOCK_RAW.rawValue), family)
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

    /// The descriptor's number: it is readable when there is news.
    var number: CInt { descriptor.number }

    /// Takes in all news that there are without looking at them, also where some were lost (ENOBUFS).
    func drain() {
        withUnsafeTemporaryAllocation(byteCount: 8192, alignment: 8) { buffer in
            // Not for ever, should the kernel say so without end.
            for _ in 0..<Self.mostReads {
                if recv(number, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT)) > 0 { continue }
                if errno != ENOBUFS, errno != EINTR { return }
            }
        }
    }

    /// Asks for a list (NLM_F_DUMP) and hands on each message of the answer.
    /// - Parameters:
    ///   - type: of the request, such as RTM_GETADDR.
    ///   - body: what follows the header; a plain C structure.
    ///   - each: called with each message; its pointer is valid during the call only.
    /// - Throws: ``SystemError`` when the kernel refuses, or does not answer.
    func dump<Body: BitwiseCopyable>(type: CInt, body: Body, each: (UnsafePointer<nlmsghdr>) -> Void)
        throws(SystemError)
    {
        var request = Request(body: body)
        request.header.nlmsg_len = UInt32(MemoryLayout<Request<Body>>.size)
        request.header.nlmsg_type = UInt16(type)
        request.header.nlmsg_flags = UInt16(NLM_F_REQUEST | NLM_F_DUMP)
        guard send(number, &request, MemoryLayout<Request<Body>>.size, 0) >= 0 else { throw SystemError("send") }

        let bytes = 64 << 10
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 8)
        defer { buffer.deallocate() }
        while true {
            var ready = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
            // The kernel has the answer ready before the request returns; the limit is for a kernel gone wrong.
            let count = poll(&ready, 1, 1000)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw SystemError("poll") }
            guard count > 0 else { throw SystemError("netlink", code: ETIMEDOUT) }
            var remaining = recv(number, buffer, bytes, 0)
            guard remaining >= 0 else {
                if errno == EINTR { continue }
                throw SystemError("recv")
            }
            var message = clinux_netlink_first(buffer, remaining)
            while let header = message {
                switch CInt(header.pointee.nlmsg_type) {
                case NLMSG_DONE: return
                case NLMSG_ERROR:
                    let code = clinux_netlink_payload(header, MemoryLayout<nlmsgerr>.size)?.load(as: nlmsgerr.self)
                        .error
                    throw SystemError("netlink", code: -(code ?? -EPROTO))
                default: each(header)
                }
                message = clinux_netlink_next(header, &remaining)
            }
        }
    }
}

/// A netlink message to be sent: the header, and the structure that its type asks for.
private struct Request<Body: BitwiseCopyable>: BitwiseCopyable {
    var header = nlmsghdr()
    var body: Body
}

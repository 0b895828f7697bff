internal import CLinux
public import EventLoop
internal import Glibc

/// The kernel's answers about sockets (sock_diag(7)): much quicker than reading /proc/net/tcp.
public enum SocketDiagnostics {
    /// All listening TCP sockets of this network namespace. Needs no privileges.
    /// - Throws: ``SystemError`` where the kernel or a sandbox does not answer such questions.
    public static func listening() throws(SystemError) -> [ListeningEndpoint] {
        try endpoints(protocol: IPPROTO_TCP, state: TCP_LISTEN)
    }

    /// All UDP sockets of this network namespace that anybody may write to.
    /// - Throws: ``SystemError`` where the kernel or a sandbox does not answer such questions.
    public static func takingDatagrams() throws(SystemError) -> [ListeningEndpoint] {
        // A socket that is connected is "established", and any other "closed".
        try endpoints(protocol: IPPROTO_UDP, state: TCP_CLOSE)
    }

    private static func endpoints(`protocol`: Int, state: Int) throws(SystemError) -> [ListeningEndpoint] {
        let socket = try NetlinkSocket(NETLINK_SOCK_DIAG)
        var endpoints: [ListeningEndpoint] = []
        for family in [AF_INET, AF_INET6] {
            var request = inet_diag_req_v2()
            request.sdiag_family = UInt8(family)
            request.sdiag_protocol = UInt8(`protocol`)
            request.idiag_states = 1 << UInt32(state)
            do throws(SystemError) {
                try socket.dump(type: CInt(SOCK_DIAG_BY_FAMILY), body: request) { header in
                    endpoint(in: header).map { endpoints.append($0) }
                }
            } catch  where family == AF_INET6 && error.code == ENOENT {
                // A kernel without IPv6 knows no such sockets.
            }
        }
        return endpoints
    }

    private static func endpoint(in header: UnsafePointer<nlmsghdr>) -> ListeningEndpoint? {
        guard let payload = clinux_netlink_payload(header, MemoryLayout<inet_diag_msg>.size) else { return nil }
        let message = payload.load(as: inet_diag_msg.self)
        let address = withUnsafeBytes(of: message.id.idiag_src) { bytes in
            message.idiag_family == UInt8(AF_INET)
                ? IPAddress(bytes.loadUnaligned(as: in_addr.self)) : IPAddress(bytes.loadUnaligned(as: in6_addr.self))
        }
        var length = 0
        let v6Only = clinux_socket_attribute(header, CInt(INET_DIAG_SKV6ONLY), &length)
        return ListeningEndpoint(
            address: address, port: UInt16(bigEndian: message.id.idiag_sport), inode: UInt64(message.idiag_inode),
            isV6Only: length == 1 ? v6Only.map { $0.load(as: UInt8.self) != 0 } : nil)
    }
}

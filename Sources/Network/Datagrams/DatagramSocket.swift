internal import CLinux
public import EventLoop
internal import Glibc

/// The one owner of a non-blocking UDP socket; it is closed when the owner's life ends.
public struct DatagramSocket: ~Copyable, Sendable {
    let socket: Socket
    let family: CInt

    /// The most bytes of a datagram over IPv4. Over IPv6 there may be 20 more.
    public static let longestV4 = 65_507

    /// Binds the address, for whoever writes to it.
    ///
    /// Answers go through this socket as well, and come from the address that the client has written to.
    /// - Parameter sharing: as with ``ListeningSocket``; the kernel deals clients out by both addresses and both ports, so
    ///   that all of one client's arrive at the same socket while none of them comes or goes.
    /// - Throws: ``SystemError``: EADDRINUSE, EACCES (a port below 1024), EADDRNOTAVAIL, EAFNOSUPPORT, EMFILE.
    public init(listeningOn address: SocketAddress, sharing: ListeningSocket.Sharing = .first) throws(SystemError) {
        socket = try Self.bind(address, sharing)
        family = address.protocolFamily
    }

    private static func bind(
        _ address: SocketAddress, _ sharing: ListeningSocket.Sharing
    ) throws(SystemError) -> Socket {
        let socket = try open(address.protocolFamily)
        let isV6 = address.protocolFamily == AF_INET6
        // Not SO_REUSEADDR: with UDP it would let anybody take the clients away.
        if isV6 { socket.set(IPPROTO_IPV6, IPV6_V6ONLY, to: 1) }
        if address.ipAddress?.isUnspecified == true {
            // Each datagram comes with the address that it was sent to.
            socket.set(isV6 ? IPPROTO_IPV6 : IPPROTO_IP, isV6 ? IPV6_RECVPKTINFO : IP_PKTINFO, to: 1)
        }
        enlargeBuffers(of: socket)
        takeManyAsOne(on: socket)
        if sharing == .further { socket.set(SOL_SOCKET, SO_REUSEPORT, to: 1) }
        let number = socket.number
        guard address.withKernelForm({ Glibc.bind(number, $0, $1) }) == 0 else { throw SystemError("bind") }
        // Only after the bind, as with TCP: a second loopbridge is not to join the first.
        if sharing == .first { socket.set(SOL_SOCKET, SO_REUSEPORT, to: 1) }
        return socket
    }

    /// Opens a socket that speaks with one address only.
    /// - Parameter source: the address to speak from; nil leaves it to the kernel.
    /// - Throws: ``SystemError``: EADDRNOTAVAIL where no port is left, EMFILE, ENFILE, ENOBUFS, ENETUNREACH; named `bind`
    ///   where the source is not to be had.
    public init(connectedTo address: SocketAddress, from source: IPAddress? = nil) throws(SystemError) {
        socket = try Self.connect(to: address, from: source)
        family = address.protocolFamily
    }

    private static let connectAttempts = 3

    private static func connect(to address: SocketAddress, from source: IPAddress?) throws(SystemError) -> Socket {
        let socket = try open(address.protocolFamily)
        if let source { try socket.bind(toSource: source) }
        // It only notes the address, so that one which was interrupted has done nothing (connect(2), EINTR).
        var result = socket.connect(to: address)
        for _ in 1..<connectAttempts where result == .inProgress { result = socket.connect(to: address) }
        if result == .connected { return socket }
        let code = if case .failed(let code) = result { code } else { EINTR }
        // That no port is left is EAGAIN here (ip(7)), which TCP calls EADDRNOTAVAIL.
        throw SystemError("connect", code: code == EAGAIN ? EADDRNOTAVAIL : code)
    }

    private static func open(_ family: CInt) throws(SystemError) -> Socket {
        let number = clinux_socket(family, CInt(SOCK_DGRAM.rawValue), 0)
        guard number >= 0 else { throw SystemError("socket") }
        return Socket(owning: Descriptor(owning: number))
    }

    /// The bytes that the kernel keeps for the socket, with its own overhead: about 4 MiB, or what it grants.
    private static let bufferSize: CInt = 2 << 20

    private static func enlargeBuffers(of socket: borrowing Socket) {
        for (forced, asked) in [(SO_RCVBUFFORCE, SO_RCVBUF), (SO_SNDBUFFORCE, SO_SNDBUF)] {
            // The first takes CAP_NET_ADMIN; the second goes up to net.core.rmem_max or wmem_max.
            if !socket.set(SOL_SOCKET, forced, to: bufferSize) { socket.set(SOL_SOCKET, asked, to: bufferSize) }
        }
    }

    /// Takes datagrams of one size that have come together as one, with a note of their size (UDP_GRO, udp(7)), where the
    /// kernel can do that.
    private static func takeManyAsOne(on socket: borrowing Socket) {
        socket.set(CInt(IPPROTO_UDP), CInt(UDP_GRO), to: 1)
    }

    /// Makes the socket fit for a stream of datagrams, which most are not worth the calls for.
    public func prepareForBulk() {
        Self.enlargeBuffers(of: socket)
        Self.takeManyAsOne(on: socket)
    }

    /// The descriptor's number, for watching the socket while it lives.
    public var number: CInt { socket.number }

    /// The socket's own address, with the port that the kernel chose where 0 was asked for.
    public var localAddress: SocketAddress? { socket.localAddress }

    /// The number by which the system's tables of sockets know it (fstat(2)).
    public var inode: UInt64 {
        var status = stat()
        return fstat(number, &status) == 0 ? UInt64(status.st_ino) : 0
    }

    /// The number of datagrams to the socket that the kernel has dropped so far, mostly because its buffer was full; begins
    /// anew after 2^32.
    public var droppedCount: UInt32 {
        // SO_MEMINFO: what `ss --memory` shows, and no cost for what arrives (SO_RXQ_OVFL has one).
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: Int(SK_MEMINFO_VARS)) { values in
            values.initialize(repeating: 0)
            var length = socklen_t(values.count * MemoryLayout<UInt32>.stride)
            let result = getsockopt(number, SOL_SOCKET, SO_MEMINFO, values.baseAddress, &length)
            return result == 0 ? values[Int(SK_MEMINFO_DROPS)] : 0
        }
    }

    /// Takes the error that the kernel has noted for the socket (SO_ERROR), a refusal by the peer's kernel (ICMP) for one; 0
    /// when there is none.
    public func takeError() -> CInt { socket.takeErrno() }
}

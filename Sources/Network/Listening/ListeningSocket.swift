internal import CLinux
public import EventLoop
internal import Glibc

/// The one owner of a socket that accepts connections.
public struct ListeningSocket: ~Copyable, Sendable {
    let socket: Socket

    /// Whether sockets on one address share what arrives there (SO_REUSEPORT, socket(7)).
    public enum Sharing: Sendable {
        /// The first or only socket: fails when anybody listens on the address already, ourselves included.
        case first
        /// One more beside the ``first``: the kernel deals connections out evenly among them.
        case further
    }

    /// Binds the address and starts listening.
    ///
    /// Options that accepted sockets inherit are set here, once: TCP_NODELAY and SO_KEEPALIVE.
    /// - Throws: ``SystemError``: EADDRINUSE, EACCES (a port below 1024), EADDRNOTAVAIL, EAFNOSUPPORT, EMFILE.
    public init(on address: SocketAddress, sharing: Sharing = .first) throws(SystemError) {
        socket = try Self.open(on: address, sharing: sharing)
    }

    /// Takes over a socket that has been bound, and starts listening.
    /// - Throws: ``SystemError``, as listen(2) says.
    init(binding socket: consuming Socket) throws(SystemError) {
        guard listen(socket.number, SOMAXCONN) == 0 else { throw SystemError("listen") }
        self.socket = socket
    }

    /// Takes over a socket that listens, non-blocking.
    init(taking socket: consuming Socket) {
        self.socket = socket
    }

    /// Takes over a descriptor of a socket that listens, non-blocking.
    public init(owning descriptor: consuming Descriptor) {
        socket = Socket(owning: descriptor)
    }

    private static func open(on address: SocketAddress, sharing: Sharing) throws(SystemError) -> Socket {
        let number = clinux_socket(address.protocolFamily, CInt(SOCK_STREAM.rawValue), 0)
        guard number >= 0 else { throw SystemError("socket") }
        let socket = Socket(owning: Descriptor(owning: number))
        socket.set(SOL_SOCKET, SO_REUSEADDR, to: 1)
        if address.protocolFamily == AF_INET6 { socket.set(IPPROTO_IPV6, IPV6_V6ONLY, to: 1) }
        socket.set(SOL_SOCKET, SO_KEEPALIVE, to: 1)
        if address.protocolFamily != AF_UNIX { socket.sendPromptly() }
        if sharing == .further { socket.set(SOL_SOCKET, SO_REUSEPORT, to: 1) }
        guard address.withKernelForm({ bind(number, $0, $1) }) == 0 else { throw SystemError("bind") }
        // Only after the bind: with the option set before, a second loopbridge would silently join the first.
        if sharing == .first { socket.set(SOL_SOCKET, SO_REUSEPORT, to: 1) }
        guard listen(number, SOMAXCONN) == 0 else { throw SystemError("listen") }
        return socket
    }

    /// The descriptor's number, for watching the socket while it lives.
    public var number: CInt { socket.number }

    /// The address it listens on, with the port that the kernel chose where 0 was asked for.
    public var localAddress: SocketAddress? { socket.localAddress }

    /// The number by which the system's tables of sockets know it (fstat(2)).
    public var inode: UInt64 {
        var status = stat()
        return fstat(number, &status) == 0 ? UInt64(status.st_ino) : 0
    }

    /// Whether somebody waits to be accepted; as it is at this moment (poll(2)).
    public var hasWaitingClients: Bool {
        var entry = pollfd(fd: socket.number, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) > 0
    }

    /// Gives the descriptor to somebody else who accepts connections on it.
    public consuming func takeDescriptor() -> Descriptor { socket.descriptor }

    /// The outcome of a call to accept(2).
    public enum AcceptResult: ~Copyable {
        case accepted(Socket, from: SocketAddress)
        /// Nobody is waiting, or whoever was has left.
        case nobody
        /// The process or the system is out of descriptors or memory, say; the client goes on waiting.
        case exhausted(SystemError)
    }

    /// Takes the next waiting client, non-blocking and close-on-exec.
    public func accept() -> AcceptResult {
        let (peer, number) = SocketAddress.fromKernelForm { clinux_accept4(socket.number, $0, $1) }
        guard number < 0 else {
            return .accepted(Socket(owning: Descriptor(owning: number)), from: peer ?? .unix(path: ""))
        }
        switch errno {
        // Errors of the connection that was to be accepted (accept(2), "Error handling"), which took it off the list.
        case EAGAIN, EINTR, ECONNABORTED, ENETDOWN, EPROTO, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP,
            ENETUNREACH:
            return .nobody
        // Out of descriptors or memory, or forbidden: trying again at once would be in vain.
        default: return .exhausted(SystemError("accept"))
        }
    }
}

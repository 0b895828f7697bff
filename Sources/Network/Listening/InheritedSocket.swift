internal import CLinux
public import EventLoop
internal import Glibc

/// A socket that whoever started the process has opened for it, and that may outlive it. It is never closed, lest those who
/// wait in it be lost.
public struct InheritedSocket: Hashable, Sendable {
    /// The kinds of sockets, by what can be done with them.
    public enum Kind: Hashable, Sendable {
        /// Connections can be accepted.
        case listening
        /// A stream socket on which nobody has called listen(2).
        case notListening
        /// It takes datagrams.
        case datagrams
        /// It is another kind of socket, or a file.
        case other
        /// There is nothing of that number.
        case missing
    }

    /// As whoever passed it calls it, such as a socket unit's FileDescriptorName; nobody says that two cannot have the same.
    public let name: String
    /// The descriptor's number.
    public let number: CInt
    public let kind: Kind
    /// The address that it is bound to; nil where that is of no known family.
    public let address: SocketAddress?
    /// Whether one on [::] takes IPv4 too (IPV6_V6ONLY, ipv6(7)).
    public let isDualStack: Bool

    /// Looks at a descriptor, and keeps it from programs that this one starts.
    init(named name: String, number: CInt) {
        self.name = name
        self.number = number
        guard fcntl(number, F_SETFD, FD_CLOEXEC) == 0 else {
            (kind, address, isDualStack) = (.missing, nil, false)
            return
        }
        let address = SocketAddress.fromKernelForm { getsockname(number, $0, $1) }.address
        self.address = address
        isDualStack = address?.ipAddress == .anyV6 && Self.option(IPPROTO_IPV6, IPV6_V6ONLY, of: number) == 0
        let isListening = Self.option(SOL_SOCKET, SO_ACCEPTCONN, of: number) == 1
        kind =
            switch Self.option(SOL_SOCKET, SO_TYPE, of: number) {
            case _ where address == nil: .other
            case CInt(SOCK_STREAM.rawValue): isListening ? .listening : .notListening
            case CInt(SOCK_DGRAM.rawValue): .datagrams
            default: .other
            }
    }

    private static func option(_ level: some BinaryInteger, _ option: CInt, of number: CInt) -> CInt? {
        var value: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        return getsockopt(number, CInt(level), option, &value, &length) == 0 ? value : nil
    }

    /// Whether it takes what is sent to this address.
    public func covers(_ wanted: SocketAddress) -> Bool {
        guard let address else { return false }
        return address == wanted
            || (isDualStack && wanted.ipAddress == .anyV4 && wanted.port == address.port)
    }

    /// Another descriptor of a socket that listens, to accept connections on without blocking. They are made as on listeners
    /// of our own (TCP_NODELAY, SO_KEEPALIVE), for those too that accept on it after us.
    /// - Throws: ``SystemError``: EMFILE.
    public func listener() throws(SystemError) -> ListeningSocket {
        let copy = try Descriptor(duplicating: number)
        let flags = fcntl(copy.number, F_GETFL)
        guard fcntl(copy.number, F_SETFL, flags | O_NONBLOCK) == 0 else { throw SystemError("fcntl") }
        let socket = Socket(owning: copy)
        socket.set(SOL_SOCKET, SO_KEEPALIVE, to: 1)
        if address?.ipAddress != nil { socket.sendPromptly() }
        return ListeningSocket(taking: socket)
    }
}

internal import CLinux
public import EventLoop
internal import Glibc

/// The one owner of a non-blocking stream socket; it is closed when the owner's life ends.
public struct Socket: ~Copyable, Sendable {
    let descriptor: Descriptor
    /// The layer that the bytes go through; nil for most sockets. It is used by the thread alone that uses the socket.
    nonisolated(unsafe) let layer: SocketLayer?

    /// Takes over a connected or connecting, non-blocking socket that nobody else closes.
    /// - Parameter layer: what its bytes are to go through, and nobody else's.
    public init(owning descriptor: consuming Descriptor, through layer: SocketLayer? = nil) {
        self.descriptor = descriptor
        self.layer = layer
    }

    /// The same socket, with a layer that its bytes go through from now on.
    public consuming func through(_ layer: SocketLayer) -> Socket {
        Socket(owning: descriptor, through: layer)
    }

    /// Opens a socket for connecting to `address`.
    /// - Throws: ``SystemError``: EMFILE, ENFILE, ENOBUFS, ENOMEM, or EAFNOSUPPORT where a family is switched off.
    public init(toReach address: SocketAddress) throws(SystemError) {
        let number = clinux_socket(address.protocolFamily, CInt(SOCK_STREAM.rawValue), 0)
        guard number >= 0 else { throw SystemError("socket") }
        descriptor = Descriptor(owning: number)
        layer = nil
    }

    /// Has small writes leave at once from now on (TCP_NODELAY, tcp(7)); a Unix socket's always do.
    public func sendPromptly() {
        set(IPPROTO_TCP, TCP_NODELAY, to: 1)
    }

    /// The descriptor's number, for watching the socket while it lives.
    public var number: CInt { descriptor.number }

    /// The outcome of a call to connect(2).
    public enum ConnectResult: Equatable, Sendable {
        case connected
        /// Under way; the socket becomes writable when it is decided.
        case inProgress
        /// Failed with this errno.
        case failed(CInt)
    }

    /// Starts connecting, or tells how an earlier start ended (connect(2): EALREADY, EISCONN).
    public func connect(to address: SocketAddress) -> ConnectResult {
        let result = address.withKernelForm { Glibc.connect(number, $0, $1) }
        if result == 0 { return .connected }
        return switch errno {
        case EINPROGRESS, EALREADY, EINTR: .inProgress
        case EISCONN: .connected
        case let code: .failed(code)
        }
    }

    /// Tells how connecting to `address` has gone so far. Unlike another ``connect(to:)``, which would throw away what a peer
    /// said before it reset the connection, this leaves both to be read.
    public func progress(of address: SocketAddress) -> ConnectResult {
        var byte: UInt8 = 0
        return switch withUnsafeMutableBytes(of: &byte, { receive(into: $0, peek: true) }) {
        case .moved, .endOfStream: .connected
        case .failed(let failure): .failed(failure.code)
        case .wouldBlock: connect(to: address)
        }
    }

    /// The outcome of a read or a write.
    public enum TransferResult: Equatable, Sendable {
        /// This many bytes were moved; at least one.
        case moved(Int)
        /// Nothing can be moved before the socket is ready again.
        case wouldBlock
        /// Of a read only: the peer has finished sending.
        case endOfStream
        case failed(SocketFailure)
    }

    /// Reads what has arrived (recv(2)), at most `buffer.count` bytes.
    /// - Parameter peek: leave the bytes where they are (MSG_PEEK).
    public func receive(into buffer: UnsafeMutableRawBufferPointer, peek: Bool = false) -> TransferResult {
        if let layer { return layer.receive(into: buffer, peek: peek, from: number) }
        return Self.receive(into: buffer, peek: peek, from: number)
    }

    /// Reads what the kernel has, whatever stands before it.
    public static func receive(
        into buffer: UnsafeMutableRawBufferPointer, peek: Bool = false, from number: CInt
    ) -> TransferResult {
        while true {
            let count = recv(number, buffer.baseAddress, buffer.count, peek ? CInt(MSG_PEEK) : 0)
            if count > 0 { return .moved(count) }
            if count == 0 { return .endOfStream }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            case let code: return .failed(.system(code))
            }
        }
    }

    /// Hands bytes to the kernel for sending (send(2)); never raises SIGPIPE.
    public func send(_ buffer: UnsafeRawBufferPointer) -> TransferResult {
        if let layer { return layer.send(buffer, UnsafeRawBufferPointer(start: nil, count: 0), to: number) }
        return Self.send(buffer, to: number)
    }

    /// Hands bytes to the kernel as they are, whatever stands before it.
    public static func send(_ buffer: UnsafeRawBufferPointer, to number: CInt) -> TransferResult {
        while true {
            let count = Glibc.send(number, buffer.baseAddress, buffer.count, CInt(MSG_NOSIGNAL))
            if count >= 0 { return .moved(count) }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            case let code: return .failed(.system(code))
            }
        }
    }

    /// Hands two pieces to the kernel for sending, one right behind the other (sendmsg(2)); never raises SIGPIPE.
    public func send(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) -> TransferResult {
        if let layer { return layer.send(first, second, to: number) }
        return Self.send(first, second, to: number)
    }

    /// The same as they are, whatever stands before the kernel.
    public static func send(
        _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer, to number: CInt
    ) -> TransferResult {
        if second.isEmpty { return send(first, to: number) }
        if first.isEmpty { return send(second, to: number) }
        var pieces: InlineArray<2, iovec> = [
            iovec(iov_base: UnsafeMutableRawPointer(mutating: first.baseAddress), iov_len: first.count),
            iovec(iov_base: UnsafeMutableRawPointer(mutating: second.baseAddress), iov_len: second.count),
        ]
        return withUnsafeMutablePointer(to: &pieces) { pieces in
            var message = msghdr()
            message.msg_iov = UnsafeMutableRawPointer(pieces).assumingMemoryBound(to: iovec.self)
            message.msg_iovlen = 2
            while true {
                let count = sendmsg(number, &message, CInt(MSG_NOSIGNAL))
                if count >= 0 { return .moved(count) }
                switch errno {
                case EINTR: continue
                case EAGAIN: return .wouldBlock
                case let code: return .failed(.system(code))
                }
            }
        }
    }

    /// Tells the peer that nothing more will be sent (FIN); what it sends can still be read.
    /// - Returns: false when the kernel refuses, so that the peer would wait for the end in vain. A connection that is gone
    ///   already is none of that: its end is told as an event.
    @discardableResult
    public func finishSending() -> Bool {
        if let layer { return layer.finishSending(on: number) }
        return Self.finishSending(on: number)
    }

    /// Tells the kernel's peer, whatever stands before the socket.
    public static func finishSending(on number: CInt) -> Bool {
        shutdown(number, CInt(SHUT_WR)) == 0 || errno == ENOTCONN
    }

    // MARK: Layers

    /// Whether the bytes go through a ``SocketLayer``.
    public var isLayered: Bool { layer != nil }

    /// Whether a receive may bring something of which the kernel will not tell.
    public var mayHaveMore: Bool { layer?.mayHaveMore ?? false }

    /// The number of bytes that were taken for sending and that the kernel does not have yet; always 0 without a layer.
    public var unsentBytes: Int { layer?.unsentBytes ?? 0 }

    /// Hands the kernel what was taken for sending before.
    /// - Returns: nil when it has everything or takes no more for now.
    public func flush() -> SocketFailure? { layer?.flush(to: number) }

    // MARK: Ends

    /// Ends what is sent as ``finishSending()`` does, where it is not whole: without the layer's own word for an end, which
    /// would say that it is. What was sent before still arrives.
    public func breakOffSending() {
        if let layer { layer.breakOffSending(on: number) } else { shutdown(number, CInt(SHUT_WR)) }
    }

    /// The number of bytes given to the socket that the peer's kernel has not acknowledged yet; 0 where closing loses none.
    /// A reset loses these (``resetWhenClosed()``).
    public var undeliveredBytes: Int { Int(clinux_undelivered(number)) + unsentBytes }

    /// Makes the end of the owner's life a reset (RST) instead of a clean end (SO_LINGER 0, socket(7)).
    ///
    /// A Unix socket knows no reset: its peer sees an end, and ECONNRESET only where it left bytes unread.
    public func resetWhenClosed() {
        layer?.endsWithReset = true
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(number, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    /// Takes the error that the kernel has noted for a socket that has failed (SO_ERROR); a reset where that was taken before.
    public func takeError() -> SocketFailure {
        let code = takeErrno()
        return code == 0 ? .reset : .system(code)
    }

    /// Takes the error that the kernel has noted for the socket (SO_ERROR); 0 when there is none.
    func takeErrno() -> CInt {
        var code: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        guard getsockopt(number, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else { return errno }
        return code
    }

    /// The socket's own address (getsockname(2)).
    public var localAddress: SocketAddress? {
        SocketAddress.fromKernelForm { getsockname(number, $0, $1) }.address
    }

    @discardableResult
    func set(_ level: Int, _ option: CInt, to value: CInt) -> Bool {
        set(CInt(level), option, to: value)
    }

    @discardableResult
    func set(_ level: CInt, _ option: CInt, to value: CInt) -> Bool {
        var value = value
        return setsockopt(number, level, option, &value, socklen_t(MemoryLayout<CInt>.size)) == 0
    }
}

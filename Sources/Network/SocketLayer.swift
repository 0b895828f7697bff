/// What stands between a ``Socket`` and the kernel and turns bytes into others, as TLS does.
///
/// A socket without one pays a branch for it. The layer lives as long as its socket, which tells it the descriptor's number
/// with each call. Belongs to the thread of its socket's loop.
open class SocketLayer {
    /// What a receive fails with where the peer's stream broke off: the connection ended, but not the layer's stream.
    public static let cutOff: CInt = 67  // ENOLINK
    /// What a receive or a send fails with where the peer did not keep to the layer's protocol, or says so of us.
    public static let violation: CInt = 71  // EPROTO

    /// The connection is to end with a reset.
    public internal(set) final var endsWithReset = false

    /// What there is to be received. The kernel's word is noted by the socket's event; the rest is the layer's to note.
    public final var readiness = LayerReadiness()

    public init() {}

    /// Reads as ``Socket/receive(into:peek:)`` does. Less than asked for means that the kernel has nothing more, unless
    /// ``mayHaveMore`` says otherwise.
    open func receive(into buffer: UnsafeMutableRawBufferPointer, peek: Bool, from socket: CInt)
        -> Socket.TransferResult
    { fatalError("a layer must say how it receives") }

    /// Sends two pieces, one behind the other. What was taken but not given to the kernel is in ``unsentBytes``, and goes out
    /// with ``flush(to:)``.
    open func send(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer, to socket: CInt)
        -> Socket.TransferResult
    { fatalError("a layer must say how it sends") }

    /// Whether a receive may bring something of which the kernel will not tell.
    open var mayHaveMore: Bool { false }

    /// How many bytes wait here for the kernel to take them.
    open var unsentBytes: Int { 0 }

    /// Hands the kernel what waits.
    /// - Returns: 0 when it has everything or takes no more for now; otherwise an errno.
    open func flush(to socket: CInt) -> CInt { 0 }

    /// Tells the peer that nothing more will be sent, behind everything that waits; more than once does no harm.
    /// - Returns: false when the peer would wait for the end in vain.
    open func finishSending(on socket: CInt) -> Bool { true }

    /// Ends what is sent, behind everything that waits, but not as the layer's stream is ended: the peer is to see that it was
    /// cut off.
    open func breakOffSending(on socket: CInt) {}

    /// The socket is about to be closed. Unless that is a reset, the peer is to see an end.
    open func willClose(_ socket: CInt) {}
}

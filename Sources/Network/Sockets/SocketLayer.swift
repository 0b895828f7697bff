/// A layer between a ``Socket`` and the kernel that turns bytes into others, as TLS does.
///
/// A socket without one pays a branch for it. The layer lives as long as its socket, which tells it the descriptor's number
/// with each call. Belongs to the thread of its socket's loop.
open class SocketLayer {
    /// The connection is to end with a reset.
    public internal(set) final var endsWithReset = false

    /// The state of what is to be received. The socket's event notes the kernel's word, and the layer the rest.
    public final var readiness = LayerReadiness()

    public init() {}

    /// Reads as ``Socket/receive(into:peek:)`` does; a layer that does not say how has nothing to be read. Less than
    /// asked for means that the kernel has nothing more, unless ``mayHaveMore`` says otherwise.
    open func receive(into buffer: UnsafeMutableRawBufferPointer, peek: Bool, from socket: CInt)
        -> Socket.TransferResult
    { .failed(.violation) }

    /// Sends two pieces, one behind the other; a layer that does not say how takes nothing. What was taken but not
    /// given to the kernel is in ``unsentBytes``, and goes out with ``flush(to:)``.
    open func send(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer, to socket: CInt)
        -> Socket.TransferResult
    { .failed(.violation) }

    /// Whether a receive may bring something of which the kernel will not tell.
    open var mayHaveMore: Bool { false }

    /// The number of bytes that wait here for the kernel to take them.
    open var unsentBytes: Int { 0 }

    /// Hands the kernel what waits.
    /// - Returns: nil when it has everything or takes no more for now.
    open func flush(to socket: CInt) -> SocketFailure? { nil }

    /// Tells the peer that nothing more will be sent, behind everything that waits; more than once does no harm.
    /// - Returns: false when the peer would wait for the end in vain.
    open func finishSending(on socket: CInt) -> Bool { true }

    /// Ends what is sent, behind everything that waits, but not as the layer's stream is ended: the peer is to see that it was
    /// cut off.
    open func breakOffSending(on socket: CInt) {}

    /// The socket is about to be closed. Unless that is a reset, the peer is to see an end.
    open func willClose(_ socket: CInt) {}
}

public import EventLoop

/// A connected socket together with the event that watches it, torn down in the right order.
///
/// It is registered once, edge-triggered, for both directions; its users change, its registration does not.
/// Belongs to its loop's thread.
public final class WatchedSocket: DescriptorEvent {
    public let socket: Socket

    /// Let go of once the descriptor has been closed: what must not be free before the peer has been told the end. It stands
    /// behind `socket`, for stored properties are destroyed in their order.
    public var releasedAfterClosing: AnyObject?

    /// Called with what the socket has become ready for. Capture the user `unowned`, or clear it in time.
    public var onReady: IOEvent.Handler? {
        get { handler }
        set { handler = newValue }
    }

    /// The readiness that nobody has made use of yet. Readiness is told once only, so a
    /// user who cannot act on it yet notes it here for the one who can.
    public var unusedReadiness: Readiness {
        get { unused }
        set { unused = newValue }
    }

    // Nothing can be proven about what other modules do with a property that is stored, so the runtime would have to watch
    // each access.
    private var handler: IOEvent.Handler?
    private var unused: Readiness = []

    /// Watches the socket from now on.
    /// - Throws: ``SystemError`` when the kernel refuses to watch it; the socket is reset then.
    public init(_ socket: consuming Socket, on loop: EventLoop) throws(SystemError) {
        self.socket = socket
        super.init(self.socket.number, on: loop, for: [.readable, .writable, .endOfStream], trigger: .edge)
        do throws(SystemError) {
            try startWatching()
        } catch {
            self.socket.resetWhenClosed()
            throw error
        }
    }

    /// Takes over what nobody made use of.
    public func takeUnusedReadiness() -> Readiness {
        let taken = unused
        unused = []
        return taken
    }

    deinit {
        if let layer = socket.layer { layer.willClose(socket.number) }
        // The event goes first; the socket is closed when the stored properties are destroyed.
        stopWatchingToClose()
    }

    public override func becameReady(_ readiness: Readiness) {
        if let layer = socket.layer { tell(layer, readiness) }
        if let handler { handler(readiness) } else { unused.formUnion(readiness) }
    }

    /// The layer stands before whoever uses the socket, and hears of everything first.
    private func tell(_ layer: SocketLayer, _ readiness: Readiness) {
        if !readiness.isDisjoint(with: [.readable, .endOfStream, .failed]) { layer.readiness.note(.kernelTold) }
        // An error shows to whoever uses the socket next.
        if readiness.contains(.writable), layer.unsentBytes > 0 { _ = layer.flush(to: socket.number) }
    }
}

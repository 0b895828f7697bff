public import EventLoop
public import Network

/// Resets connections once their peers have what they were given.
///
/// To close with a reset throws away what the kernel has not delivered yet (socket(7), SO_LINGER), and a sender's kernel had
/// acknowledged it: the peer would get less than it does without us. So the reset waits until all of it is acknowledged. Who
/// takes nothing any more is up to the owner, which sees by ``lastActivity`` that nothing moves. Belongs to its loop's thread.
public final class Parting {
    /// A connection, and the direction that may have something left for it.
    public struct Leg {
        let socket: WatchedSocket
        let half: HalfDuplex
        /// The bytes that the peer's kernel was yet to acknowledge at the last look.
        var undelivered = -1

        public init(_ socket: WatchedSocket, takingFrom half: HalfDuplex) {
            self.socket = socket
            self.half = half
        }
    }

    private let workspace: RelayWorkspace
    private var legs: [Leg]
    private var onEnd: (() -> Void)?

    /// The moment when a peer last took something, to the kernel's tick.
    public private(set) var lastActivity = MonotonicTime.coarse

    /// Takes the connections over.
    public init(_ legs: [Leg], in workspace: RelayWorkspace) {
        self.legs = legs
        self.workspace = workspace
    }

    /// Begins.
    /// - Parameter onEnd: called once, when the connections are closed; before this returns where nothing is under way.
    public func begin(_ onEnd: @escaping () -> Void) {
        self.onEnd = onEnd
        // The sockets are the parting's own, until each is reset.
        for leg in legs { leg.socket.onReady = { [unowned self] in ready($0) } }
        if look() || !workspace.watch(self) { end() }
    }

    /// Resets the connections now.
    public func cancel() {
        guard onEnd != nil else { return }
        workspace.forget(self)
        end()
    }

    private func ready(_ readiness: WatchedSocket.Readiness) {
        guard !readiness.isDisjoint(with: [.writable, .failed]) else { return }
        if look() { cancel() }
    }

    /// Resets each connection that has nothing under way any more.
    /// - Returns: whether that were the last.
    func look() -> Bool {
        for index in legs.indices.reversed() {
            let undelivered = legs[index].look(in: workspace)
            if undelivered != legs[index].undelivered {
                legs[index].undelivered = undelivered
                lastActivity = .coarse
            }
            if undelivered == 0 { legs.remove(at: index).reset(in: workspace) }
        }
        return legs.isEmpty
    }

    private func end() {
        for leg in legs { leg.reset(in: workspace) }
        legs = []
        let onEnd = onEnd
        self.onEnd = nil
        onEnd?()
    }
}

extension Parting.Leg {
    /// Hands over what the direction has left, as far as the kernel takes it.
    /// - Returns: how much is yet to be delivered.
    fileprivate func look(in workspace: RelayWorkspace) -> Int {
        switch half.flush(to: socket.socket, in: workspace) {
        case .ended: break
        // There is nobody who could get it.
        case .sinkFailed: return 0
        // The rest is given to the kernel when that has room; till then nothing is known but that there is some.
        default: return max(socket.socket.undeliveredBytes, 1)
        }
        return socket.socket.undeliveredBytes
    }

    fileprivate func reset(in workspace: RelayWorkspace) {
        half.abandon(in: workspace)
        socket.onReady = nil
        socket.socket.resetWhenClosed()
    }
}

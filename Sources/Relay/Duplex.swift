public import EventLoop
internal import Glibc
public import Network

/// Carries bytes both ways between two connected sockets until both directions have ended.
///
/// It owns the sockets. An end of one side is passed on as an end, and the other direction goes on. A failure of one side
/// becomes a reset of both, once what that side had said before, and what either was given, has arrived (``Parting``).
/// Belongs to its loop's thread.
///
/// ```swift
/// let duplex = Duplex(downstream: client, upstream: app, in: workspace)
/// duplex.onEnd = { end in … }
/// duplex.start()
/// ```
public final class Duplex {
    /// The ends of a relay.
    public enum End: Equatable, Sendable {
        /// Both sides have finished sending, and everything was delivered.
        case finished
        /// The client's connection failed; both were reset.
        case downstreamFailed(SocketFailure)
        /// The app's connection failed; both were reset.
        case upstreamFailed(SocketFailure)
        /// ``abort()`` was called; both connections were reset.
        case aborted
    }

    private enum Phase {
        case open
        /// One side has failed. What it had said before goes to the other side.
        /// - upTo: how much may have been moved from there then, in bytes: what is no more than broken could go on forever.
        /// - isWhole: it had finished sending before it failed, so that its end is passed on behind its bytes.
        case lastWords(of: Side, upTo: UInt64, isWhole: Bool)
        /// Nothing is read any more.
        case parting(Parting)
        case ended
    }

    private enum Side: Int {
        case downstream
        case upstream

        var other: Side { self == .downstream ? .upstream : .downstream }
    }

    /// The sockets, until the relay has ended.
    private struct Sockets {
        let downstream: WatchedSocket
        let upstream: WatchedSocket

        subscript(side: Side) -> WatchedSocket { side == .downstream ? downstream : upstream }
    }

    private let workspace: RelayWorkspace
    private var sockets: Sockets?
    /// The direction away from each side.
    private let halves: InlineArray<2, HalfDuplex>
    private var isAwaitingTurn = false
    private var phase = Phase.open
    /// The relay's end, once it is known.
    private var comingEnd = End.aborted
    private var deliveries = (downstream: DeliveryWatch(), upstream: DeliveryWatch())

    /// Called once, when the relay has ended and its sockets are closed.
    public var onEnd: ((End) -> Void)?

    /// The moment when a byte or an end last went through, or ``start()`` was called, to the kernel's tick.
    public var lastActivity: MonotonicTime {
        if case .parting(let parting) = phase { max(parting.lastActivity, lastMove) } else { lastMove }
    }
    private var lastMove = MonotonicTime.coarse

    /// Makes a relay between sockets that belong to the workspace's loop.
    public init(downstream: WatchedSocket, upstream: WatchedSocket, in workspace: RelayWorkspace) {
        self.workspace = workspace
        sockets = Sockets(downstream: downstream, upstream: upstream)
        halves = InlineArray { HalfDuplex($0 == Side.downstream.rawValue ? .toUpstream : .toDownstream) }
    }

    /// Makes a relay that goes on with what has been said between the two sockets: with what each direction knows of its
    /// source, and with what its sink has not taken yet.
    public init(
        downstream: WatchedSocket, upstream: WatchedSocket, toUpstream: HalfDuplex,
        toDownstream: HalfDuplex, in workspace: RelayWorkspace
    ) {
        self.workspace = workspace
        sockets = Sockets(downstream: downstream, upstream: upstream)
        halves = [toUpstream, toDownstream]
    }

    /// Bytes carried from the client to the app.
    public var bytesToUpstream: UInt64 { halves[Side.downstream.rawValue].bytesMoved }

    /// Bytes carried from the app to the client.
    public var bytesToDownstream: UInt64 { halves[Side.upstream.rawValue].bytesMoved }

    /// Whether one side has finished sending and the other has not, or one has failed and the rest is being delivered.
    public var isHalfClosed: Bool {
        if case .open = phase { isFinished(.downstream) != isFinished(.upstream) } else { true }
    }

    private func isFinished(_ side: Side) -> Bool { halves[side.rawValue].isFinished }

    /// Starts relaying, with what the sockets were noted to be ready for. May end the relay before it returns.
    public func start() {
        guard let sockets else { return }
        // The sockets are the relay's own; they tell it nothing more once it has let go of them.
        sockets.downstream.onReady = { [unowned self] in ready(.downstream, $0) }
        sockets.upstream.onReady = { [unowned self] in ready(.upstream, $0) }
        ready(.downstream, sockets.downstream.unusedReadiness)
        ready(.upstream, sockets.upstream.unusedReadiness)
        // What a direction had been told before it came here is not told again.
        for side in [Side.downstream, .upstream] {
            guard case .open = phase else { return }
            if halves[side.rawValue].hasSourceFailed {
                fail(side)
            } else if halves[side.rawValue].mayReceive {
                advance(side)
            }
        }
    }

    /// Starts relaying as ``start()`` does, after giving the app these bytes of ours together with the first of the client's,
    /// if there are any yet. They count as carried.
    public func start(with preamble: Span<UInt8>) {
        guard !preamble.isEmpty, let sockets else { return start() }
        let client = Side.downstream.rawValue
        halves[client].noteSource(sockets.downstream.unusedReadiness)
        sockets.downstream.unusedReadiness = []
        let outcome = halves[client].begin(
            with: preamble, from: sockets.downstream.socket, to: sockets.upstream.socket, in: workspace)
        switch outcome {
        case .sourceFailed(let failure): fail(.downstream, failure)
        case .sinkFailed(let failure): fail(.upstream, failure)
        default: start()
        }
    }

    /// Resets both connections now. Does nothing once the relay has ended.
    public func abort() {
        switch phase {
        case .parting(let parting): parting.cancel()
        case .open, .lastWords:
            guard let sockets else { return }
            sockets.downstream.socket.resetWhenClosed()
            sockets.upstream.socket.resetWhenClosed()
            end()
        case .ended: break
        }
    }

    /// Whether a peer has acknowledged something since this was last asked, as one does that is slow to take what its kernel's
    /// other side has had for long. That counts as activity. For those who will end the relay for silence if it lasts.
    public func isStillDelivering() -> Bool {
        guard let sockets else { return false }
        let downstreamMoved = deliveries.downstream.hasMoved(sockets.downstream.socket)
        let upstreamMoved = deliveries.upstream.hasMoved(sockets.upstream.socket)
        let hasMoved = downstreamMoved || upstreamMoved
        if hasMoved { lastMove = .coarse }
        return hasMoved
    }

    /// Bounds what the kernel holds for both connections; see ``Socket/boundBuffers(to:)``.
    public func boundBuffers(to bytes: Int?) {
        sockets?.downstream.socket.boundBuffers(to: bytes)
        sockets?.upstream.socket.boundBuffers(to: bytes)
    }

    private func ready(_ side: Side, _ readiness: IOEvent.Readiness) {
        switch phase {
        case .open: break
        case .lastWords(of: side, _, _): return
        case .lastWords:
            // The other side has failed too, or takes more.
            if readiness.contains(.failed) { part() } else if readiness.contains(.writable) { deliverLastWords() }
            return
        case .parting, .ended: return
        }
        if readiness.contains(.failed) { return fail(side) }
        if !readiness.isDisjoint(with: [.readable, .endOfStream]) {
            halves[side.rawValue].noteSource(readiness)
            guard advance(side) else { return }
        }
        if readiness.contains(.writable), halves[side.other.rawValue].isWaitingForSink {
            advance(side.other, sinkIsReady: true)
        }
    }

    /// Moves what can be moved away from one side.
    /// - Returns: whether the relay goes on.
    @discardableResult
    private func advance(_ source: Side, sinkIsReady: Bool = false) -> Bool {
        guard let sockets else { return false }
        // What has become ready is noted, and has its turn together with the rest.
        if isAwaitingTurn, !sinkIsReady { return true }
        let sink = source.other
        let movedBefore = halves[source.rawValue].bytesMoved
        // Of this call's own: to lend a property would be checked each time.
        var everything = Everything()
        let outcome = halves[source.rawValue].advance(
            from: sockets[source].socket, to: sockets[sink].socket, sinkIsReady: sinkIsReady, in: workspace,
            framing: &everything)
        let moved = halves[source.rawValue].bytesMoved - movedBefore
        noteMoved(moved)
        switch outcome {
        // A stream of everything has no other end than its source's.
        case .waiting, .ended, .invalid: break
        case .yielded:
            awaitTurn()
        case .finished:
            lastMove = .coarse
            // The second end is told by closing, which is due anyway.
            if isFinished(sink) {
                comingEnd = .finished
                end()
                return false
            }
            if !sockets[sink].socket.finishSending() {
                fail(sink)
                return false
            }
        case .sourceFailed(let failure):
            fail(source, failure)
            return false
        case .sinkFailed(let failure):
            fail(sink, failure)
            return false
        }
        return true
    }

    private func noteMoved(_ bytes: UInt64) {
        guard bytes > 0 else { return }
        let now = MonotonicTime.coarse
        workspace.noteMoved(bytes, at: now, last: lastMove)
        lastMove = now
    }

    // MARK: Failures

    /// More than a socket's receive buffer can hold (tcp(7), tcp_rmem).
    private static let mostLastWords: UInt64 = 64 << 20

    /// - Parameter failure: nil where an event has told of it, so that the kernel has noted why.
    private func fail(_ side: Side, _ failure: SocketFailure? = nil) {
        guard case .open = phase, let sockets else { return }
        let noted = failure ?? sockets[side].socket.takeError()
        // That a reset came behind a FIN is all that the kernel notes with EPIPE instead of ECONNRESET (tcp_reset()).
        let isWhole = failure == nil && noted == .system(EPIPE)
        comingEnd = side == .downstream ? .downstreamFailed(noted) : .upstreamFailed(noted)
        let most = halves[side.rawValue].bytesMoved + Self.mostLastWords
        phase = .lastWords(of: side, upTo: most, isWhole: isWhole)
        lastMove = .coarse
        halves[side.rawValue].lookAtSourceAgain()
        // The event that has led here may have told that the sink takes more, too, and nobody else makes use of that.
        deliverLastWords()
    }

    /// Reads what a side had said before it failed, and passes it on: its kernel had it acknowledged, and without a proxy in
    /// between it would have arrived.
    private func deliverLastWords(sinkIsReady: Bool = true) {
        guard case .lastWords(let side, let most, let isWhole) = phase, let sockets else { return }
        let half = halves[side.rawValue]
        let movedBefore = half.bytesMoved
        var rest = Everything(tellsEnd: false)
        let outcome = half.advance(
            from: sockets[side].socket, to: sockets[side.other].socket, sinkIsReady: sinkIsReady, in: workspace,
            framing: &rest)
        noteMoved(half.bytesMoved - movedBefore)
        switch outcome {
        case .yielded where half.bytesMoved < most: awaitTurn()
        case .waiting where half.isWaitingForSink && half.bytesMoved < most: break
        case .sinkFailed: part()
        default:
            if isWhole { sockets[side.other].socket.finishSending() }
            part()
        }
    }

    /// Nothing more is to be read: what both sides were given is delivered, and then both are reset.
    private func part() {
        guard let sockets else { return }
        letGoOfSockets()
        let parting = Parting(
            [
                Parting.Leg(sockets.downstream, takingFrom: halves[Side.upstream.rawValue]),
                Parting.Leg(sockets.upstream, takingFrom: halves[Side.downstream.rawValue]),
            ], in: workspace)
        phase = .parting(parting)
        // The workspace keeps the parting, whose last act is this call: it may come when nobody has the relay any more.
        parting.begin { [weak self] in self?.end() }
    }

    private func end() {
        phase = .ended
        for index in halves.indices { halves[index].abandon(in: workspace) }
        letGoOfSockets()
        let onEnd = onEnd
        self.onEnd = nil
        onEnd?(comingEnd)
    }

    deinit { letGoOfSockets() }

    private func letGoOfSockets() {
        sockets?.downstream.onReady = nil
        sockets?.upstream.onReady = nil
        sockets = nil
    }

    private func awaitTurn() {
        guard !isAwaitingTurn else { return }
        isAwaitingTurn = true
        workspace.loop.onNextTurn { [self] in
            isAwaitingTurn = false
            if case .lastWords = phase { return deliverLastWords(sinkIsReady: false) }
            if advance(.downstream) { advance(.upstream) }
        }
    }
}

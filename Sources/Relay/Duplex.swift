public import EventLoop
internal import Glibc
public import Network

/// Carries bytes both ways between two connected sockets until both directions have ended.
///
/// It owns the sockets. An end of one side is passed on as an end, and the other direction goes on; a reset is
/// passed on as a reset. Belongs to its loop's thread.
///
/// ```swift
/// let duplex = Duplex(downstream: client, upstream: app, in: workspace)
/// duplex.onEnd = { end in … }
/// duplex.start()
/// ```
public final class Duplex {
    /// How a relay ended.
    public enum End: Equatable, Sendable {
        /// Both sides have finished sending, and everything was delivered.
        case finished
        /// The client's connection failed with this errno, usually ECONNRESET; the app's was reset.
        case downstreamFailed(CInt)
        /// The app's connection failed with this errno; the client's was reset.
        case upstreamFailed(CInt)
        /// ``abort()`` was called; both connections were reset.
        case aborted
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

    /// It outlives its relays.
    private unowned let workspace: RelayWorkspace
    private var sockets: Sockets?
    /// The direction away from each side.
    private let halves: InlineArray<2, HalfDuplex>
    private var isAwaitingTurn = false

    /// Called once, when the relay has ended and its sockets are closed.
    public var onEnd: ((End) -> Void)?

    /// When a byte or an end last went through, or ``start()`` was called, to the kernel's tick.
    public private(set) var lastActivity = MonotonicTime.coarse

    /// Makes a relay between sockets that belong to the workspace's loop; the workspace must outlive it.
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

    /// Whether one side has finished sending and the other has not.
    public var isHalfClosed: Bool { isFinished(.downstream) != isFinished(.upstream) }

    private func isFinished(_ side: Side) -> Bool { halves[side.rawValue].isFinished }

    /// Starts relaying, with what the sockets were noted to be ready for. May end the relay before it returns.
    public func start() {
        guard let sockets else { return }
        sockets.downstream.onReady = { [unowned self] in ready(.downstream, $0) }
        sockets.upstream.onReady = { [unowned self] in ready(.upstream, $0) }
        ready(.downstream, sockets.downstream.unusedReadiness)
        if self.sockets != nil { ready(.upstream, sockets.upstream.unusedReadiness) }
        // What a direction had been told before it came here is not told again.
        for side in [Side.downstream, .upstream] where halves[side.rawValue].mayReceive { advance(side) }
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
        case .sourceFailed(let code): fail(.downstream, code)
        case .sinkFailed(let code): sinkFailed(.upstream, code)
        default: start()
        }
    }

    /// Resets both connections now. Does nothing once the relay has ended.
    public func abort() {
        guard let sockets else { return }
        sockets.downstream.socket.resetWhenClosed()
        sockets.upstream.socket.resetWhenClosed()
        end(.aborted)
    }

    private func ready(_ side: Side, _ readiness: IOEvent.Readiness) {
        if !readiness.isDisjoint(with: [.readable, .endOfStream, .failed]) {
            // Nothing is read any more from a side that has finished sending, and it may be reset all the same.
            if readiness.contains(.failed), isFinished(side), let sockets {
                return fail(side, sockets[side].socket.takeError())
            }
            halves[side.rawValue].noteSource(readiness)
            guard advance(side) else { return }
        }
        if !readiness.isDisjoint(with: [.writable, .failed]), halves[side.other.rawValue].isWaitingForSink {
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
        if moved > 0 {
            let now = MonotonicTime.coarse
            workspace.noteMoved(moved, at: now, last: lastActivity)
            lastActivity = now
        }
        switch outcome {
        // A stream of everything has no other end than its source's.
        case .waiting, .ended, .invalid: break
        case .yielded:
            awaitTurn()
        case .finished:
            lastActivity = .coarse
            // The second end is told by closing, which is due anyway.
            if isFinished(sink) {
                end(.finished)
                return false
            }
            guard sockets[sink].socket.finishSending() else {
                sinkFailed(sink, EPIPE)
                return false
            }
            if halves[source.rawValue].hasSourceFailed {
                fail(source, sockets[source].socket.takeError())
                return false
            }
        case .sourceFailed(let code):
            fail(source, code)
            return false
        case .sinkFailed(let code):
            sinkFailed(sink, code)
            return false
        }
        return true
    }

    private func sinkFailed(_ sink: Side, _ code: CInt) {
        guard let sockets else { return }
        halves[sink.rawValue].deliverLastWords(
            from: sockets[sink].socket, to: sockets[sink.other].socket, in: workspace)
        fail(sink, code)
    }

    private func fail(_ side: Side, _ code: CInt) {
        // A connection that the kernel could do nothing for at this moment (ENOMEM) may be alive, and an end looks like success.
        sockets?[side].socket.resetWhenClosed()
        sockets?[side.other].socket.resetWhenClosed()
        end(side == .downstream ? .downstreamFailed(code) : .upstreamFailed(code))
    }

    private func end(_ end: End) {
        for index in halves.indices { halves[index].abandon(in: workspace) }
        sockets = nil
        let onEnd = onEnd
        self.onEnd = nil
        onEnd?(end)
    }

    private func awaitTurn() {
        guard !isAwaitingTurn else { return }
        isAwaitingTurn = true
        workspace.loop.onNextTurn { [self] in
            isAwaitingTurn = false
            if advance(.downstream) { advance(.upstream) }
        }
    }
}

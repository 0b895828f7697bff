public import EventLoop
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

    private enum Side {
        case downstream
        case upstream
    }

    /// The sockets, until the relay has ended.
    private struct Sockets {
        let downstream: WatchedSocket
        let upstream: WatchedSocket
    }

    /// It outlives its relays, some of which it lists.
    private unowned let workspace: RelayWorkspace
    private var sockets: Sockets?
    private var toUpstream = HalfDuplex()
    private var toDownstream = HalfDuplex()
    private var isAwaitingTurn = false
    private var isListedForConfirmation = false

    /// Called once, when the relay has ended and its sockets are closed.
    public var onEnd: ((End) -> Void)?

    /// When a byte or an end last went through, or ``start()`` was called, to the kernel's tick.
    public private(set) var lastActivity = MonotonicTime.coarse

    /// Makes a relay between sockets that belong to the workspace's loop; the workspace must outlive it.
    public init(downstream: WatchedSocket, upstream: WatchedSocket, in workspace: RelayWorkspace) {
        self.workspace = workspace
        sockets = Sockets(downstream: downstream, upstream: upstream)
    }

    /// Bytes carried from the client to the app.
    public var bytesToUpstream: UInt64 { toUpstream.bytesMoved }

    /// Bytes carried from the app to the client.
    public var bytesToDownstream: UInt64 { toDownstream.bytesMoved }

    /// Whether one side has finished sending and the other has not.
    public var isHalfClosed: Bool { toUpstream.isFinished != toDownstream.isFinished }

    /// Starts relaying, with what the sockets were noted to be ready for. May end the relay before it returns.
    public func start() {
        guard let sockets else { return }
        sockets.downstream.onReady = { [unowned self] in downstreamReady($0) }
        sockets.upstream.onReady = { [unowned self] in upstreamReady($0) }
        downstreamReady(sockets.downstream.unusedReadiness)
        if self.sockets != nil { upstreamReady(sockets.upstream.unusedReadiness) }
    }

    /// Resets both connections now. Does nothing once the relay has ended.
    public func abort() {
        guard let sockets else { return }
        sockets.downstream.socket.resetWhenClosed()
        sockets.upstream.socket.resetWhenClosed()
        end(.aborted)
    }

    private func downstreamReady(_ readiness: IOEvent.Readiness) {
        if readiness.contains(.readable) || readiness.contains(.endOfStream) {
            if toUpstream.isFinished, failedAfterItsEnd(.downstream, readiness) { return }
            toUpstream.noteSource(endIsNear: readiness.contains(.endOfStream))
            guard advance(.downstream) else { return }
        }
        if readiness.contains(.writable), toDownstream.isWaitingForSink { advance(.upstream, sinkIsReady: true) }
    }

    private func upstreamReady(_ readiness: IOEvent.Readiness) {
        if readiness.contains(.readable) || readiness.contains(.endOfStream) {
            if toDownstream.isFinished, failedAfterItsEnd(.upstream, readiness) { return }
            toDownstream.noteSource(endIsNear: readiness.contains(.endOfStream))
            guard advance(.upstream) else { return }
        }
        if readiness.contains(.writable), toUpstream.isWaitingForSink { advance(.downstream, sinkIsReady: true) }
    }

    /// Notices the reset of a side that had finished sending, from which nothing is read any more.
    ///
    /// Such a side reports the end of its stream with every event, except for an error, which hides it.
    private func failedAfterItsEnd(_ side: Side, _ readiness: IOEvent.Readiness) -> Bool {
        guard !readiness.contains(.endOfStream), let sockets else { return false }
        let code =
            switch side {
            case .downstream: sockets.downstream.socket.takeError()
            case .upstream: sockets.upstream.socket.takeError()
            }
        guard code != 0 else { return false }
        fail(side, code)
        return true
    }

    /// Moves what can be moved away from one side.
    /// - Returns: whether the relay goes on.
    @discardableResult
    private func advance(_ source: Side, sinkIsReady: Bool = false) -> Bool {
        guard let sockets else { return false }
        // What has become ready is noted, and has its turn together with the rest.
        if isAwaitingTurn, !sinkIsReady { return true }
        let movedBefore = bytesToUpstream + bytesToDownstream
        let outcome = move(source, sockets, sinkIsReady: sinkIsReady)
        let moved = bytesToUpstream + bytesToDownstream - movedBefore
        if moved > 0 {
            let now = MonotonicTime.coarse
            workspace.noteMoved(moved, at: now, last: lastActivity)
            lastActivity = now
        }
        switch outcome {
        case .waiting:
            listForConfirmation()
        case .yielded:
            awaitTurn()
        case .finished:
            lastActivity = .coarse
            // The second end is told by closing, which is due anyway.
            if toUpstream.isFinished, toDownstream.isFinished {
                end(.finished)
                return false
            }
            switch source {
            case .downstream: sockets.upstream.socket.finishSending()
            case .upstream: sockets.downstream.socket.finishSending()
            }
        case .sourceFailed(let code):
            fail(source, code)
            return false
        case .sinkFailed(let code):
            let broken: Side
            switch source {
            case .downstream:
                broken = .upstream
                toDownstream.deliverLastWords(
                    from: sockets.upstream.socket, to: sockets.downstream.socket, in: workspace)
            case .upstream:
                broken = .downstream
                toUpstream.deliverLastWords(
                    from: sockets.downstream.socket, to: sockets.upstream.socket, in: workspace)
            }
            fail(broken, code)
            return false
        }
        return true
    }

    private func move(_ source: Side, _ sockets: Sockets, sinkIsReady: Bool) -> HalfDuplex.Outcome {
        switch source {
        case .downstream:
            toUpstream.advance(
                from: sockets.downstream.socket, to: sockets.upstream.socket, sinkIsReady: sinkIsReady, in: workspace)
        case .upstream:
            toDownstream.advance(
                from: sockets.upstream.socket, to: sockets.downstream.socket, sinkIsReady: sinkIsReady, in: workspace)
        }
    }

    private func fail(_ side: Side, _ code: CInt) {
        switch side {
        case .downstream:
            sockets?.upstream.socket.resetWhenClosed()
            end(.downstreamFailed(code))
        case .upstream:
            sockets?.downstream.socket.resetWhenClosed()
            end(.upstreamFailed(code))
        }
    }

    private func end(_ end: End) {
        toUpstream.abandon(in: workspace)
        toDownstream.abandon(in: workspace)
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

    private func listForConfirmation() {
        guard !isListedForConfirmation, toUpstream.confirmation == .recent || toDownstream.confirmation == .recent
        else { return }
        isListedForConfirmation = true
        workspace.confirmLater(self)
    }

    /// Reads once more from a side that has been silent since the last call.
    /// - Returns: whether to call again later.
    func confirmReads() -> Bool {
        guard sockets != nil else { return false }
        if toUpstream.isConfirmationDue() {
            toUpstream.noteSource(endIsNear: false)
            guard advance(.downstream) else { return false }
        }
        if toDownstream.isConfirmationDue() {
            toDownstream.noteSource(endIsNear: false)
            guard advance(.upstream) else { return false }
        }
        isListedForConfirmation = toUpstream.confirmation != .notNeeded || toDownstream.confirmation != .notNeeded
        return isListedForConfirmation
    }
}

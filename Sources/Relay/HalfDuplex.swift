public import EventLoop
internal import Glibc
public import Network

/// One direction between two sockets: it takes bytes from a source and gives them to a sink.
///
/// It holds no sockets and no buffer of its own. What the sink does not take at once is parked, and nothing
/// more is read until it is gone; so at any time at most one read's worth of bytes waits here, usually none.
///
/// It remembers what the source is ready for, which is told only once. Belongs to its loop's thread. When a stream is
/// given up, or at the end, ``abandon(in:)`` must be called.
///
/// A class whose properties are only read and written whole, by this module alone: so the compiler proves by itself that no
/// two accesses overlap. A value inside of another class is entered for as long as it moves bytes, which the runtime would
/// have to watch, once for each call.
public final class HalfDuplex {
    enum State {
        /// Whatever arrives goes out at once.
        case flowing
        /// The sink takes nothing more for now.
        case waitingForSink(Remainder)
        /// The source has ended, and the sink has everything.
        case finished
    }

    /// The holder of the bytes that the sink did not take.
    enum Remainder {
        case inSource
        case parked(PendingBytes)
        case inPipe(SplicePipe)
        /// The sink's layer has it.
        case inSink
    }

    /// The direction of the bytes.
    public enum Direction: Sendable {
        case toUpstream
        case toDownstream
    }

    /// Why nothing more is moved.
    public enum Outcome: Sendable {
        /// There is nothing to do before the next event.
        case waiting
        /// There is more to do, but it is the other connections' turn.
        case yielded
        /// The stream has ended where its framing says, and the sink has all of it.
        case ended
        /// The source's bytes can't be the stream any more. The sink has only what came before, or a part of that.
        case invalid
        /// The source has ended just now, and the sink has everything: it is the caller's to tell it the end.
        case finished
        case sourceFailed(SocketFailure)
        case sinkFailed(SocketFailure)
    }

    var state = State.flowing
    private let direction: Direction
    /// The sink sends at once what it is given (TCP_NODELAY). What was accepted does, having it from its listener; the
    /// way to the app is told before the second send, since nothing holds up the first (RFC 9293 section 3.7.4).
    private var sinkIsPrompt: Bool
    /// The sink has been given something.
    private var hasSent = false
    /// The state of the source, as far as it is known.
    var readiness = SourceReadiness()
    /// The source has so much to say that it is worth a pipe: two system calls more, and no copying.
    var isBulk = false
    /// The most that the next receive may take, as a power of two: grows while the sink keeps up, shrinks when it does not.
    private var readPower = HalfDuplex.initialReadPower
    private var bytesTaken: UInt64 = 0
    /// The bytes that the sink's layer holds for the kernel, as far as the workspace's account has them.
    private var bytesInSink = 0

    // 64 KiB, 16 KiB, and all of the scratch buffer.
    private static let initialReadPower: UInt8 = 16
    private static let smallestReadPower: UInt8 = 14
    /// The bytes that a sink that seems to be ready takes in one piece.
    private static let smallestPiece = 4 << 10
    private static let largestReadPower = UInt8(RelayWorkspace.scratchSize.trailingZeroBitCount)
    /// A stream that brings less than this at a time is carried by copying.
    static let leastBulk = 32 << 10
    /// In how many reads one turn may move what it may.
    static let turnReads = 16

    public init(_ direction: Direction) {
        self.direction = direction
        sinkIsPrompt = direction == .toDownstream
    }

    // MARK: Source and sink

    /// Bytes that the sink's kernel has taken.
    public var bytesMoved: UInt64 { bytesTaken }

    var readLimit: Int { 1 << Int(readPower) }

    var isFinished: Bool {
        if case .finished = state { true } else { false }
    }

    /// Whether there are bytes that the sink has not taken; ``advance(from:to:sinkIsReady:in:framing:)`` hands them over
    /// when it has become writable.
    public var isWaitingForSink: Bool {
        if case .waitingForSink = state { true } else { false }
    }

    /// Whether a receive may bring anything, an end or an error included.
    public var mayReceive: Bool { readiness.mayReceive }

    /// Whether the source is known to have failed, maybe after it had ended properly.
    public var hasSourceFailed: Bool { readiness.announcedEnd == .failure }

    /// Whether the source has ended or failed, perhaps after something that can still be read.
    public var isSourceEnding: Bool { readiness.announcedEnd != .none }

    /// Whether everything has been received, up to an end that is none of a failure's.
    public var hasSourceEnded: Bool { readiness.announcedEnd == .reached }

    /// Notes what the source has become ready for: that something can be read, or what follows then.
    public func noteSource(_ told: IOEvent.Readiness) {
        readiness = readiness.told(told)
    }

    /// The source may have said something that nobody was told of, because it has failed.
    func lookAtSourceAgain() {
        readiness = readiness.toldNothingOfFailure()
    }

    /// The bytes come from another source from now on.
    /// - Parameter told: what that has become ready for without anybody making use of it.
    public func takeSource(_ told: IOEvent.Readiness) {
        beginStream()
        readiness = SourceReadiness().told(told)
        readPower = Self.initialReadPower
    }

    /// The bytes go to another sink from now on.
    /// - Parameter isPrompt: whether it sends at once what it is given.
    public func takeSink(isPrompt: Bool) {
        beginStream()
        hasSent = false
        sinkIsPrompt = isPrompt
    }

    /// Whether the sink sends at once what it is given.
    public var hasPromptSink: Bool { sinkIsPrompt }

    /// Another stream follows in the same direction. The sink must have taken the one before.
    public func beginStream() {
        assert(!isWaitingForSink, "the sink has not taken everything")
        state = .flowing
        isBulk = false
    }

    // MARK: Moving

    /// Moves what can be moved.
    /// - Parameters:
    ///   - sinkIsReady: the sink has just become writable; without it, a sink that was full is taken to be full still, so
    ///     that no send is made in vain.
    ///   - framing: which of the source's bytes belong to the stream.
    public func advance<Framing: StreamFraming>(
        from source: borrowing Socket, to sink: borrowing Socket, sinkIsReady: Bool, in workspace: RelayWorkspace,
        framing: inout Framing
    ) -> Outcome {
        if isWaitingForSink, !sinkIsReady { return .waiting }
        if let outcome = unpark(to: sink, in: workspace) { return outcome }
        if framing.hasEnded { return .ended }
        if hasSourceEnded { return finish(sink, tellsEnd: framing.tellsEnd, in: workspace) }
        let turnBytes = workspace.turnBytes
        var bytesLeft = turnBytes
        var readsLeft = Self.turnReads
        var maySplice = true
        while mayReceive {
            guard bytesLeft > 0, readsLeft > 0 else { return .yielded }
            let most = Int(clamping: min(framing.plainBytesAhead, UInt64(turnBytes)))
            if isBulk, maySplice, most >= Self.leastBulk, let pipe = workspace.takePipe() {
                let limit = min(PipePool.capacity, most)
                let before = bytesMoved
                if let outcome = splice(through: pipe, limit, from: source, to: sink, in: workspace, framing: &framing)
                {
                    return outcome
                }
                if framing.hasEnded { return .ended }
                let moved = Int(bytesMoved - before)
                // Only a receive can tell whether that was all, or the end.
                maySplice = moved == limit
                bytesLeft -= moved
                readsLeft -= 1
                continue
            }
            var limit = min(readLimit, turnBytes, framing.readLimit)
            let mayPark = workspace.mayPark(limit)
            // What a layer has taken cannot be left in the source.
            if !mayPark, sink.isLayered { limit = min(limit, Self.smallestPiece) }
            let buffer = UnsafeMutableRawBufferPointer(rebasing: workspace.scratch[..<limit])
            switch source.receive(into: buffer, peek: !mayPark) {
            case .wouldBlock:
                noteSourceIsEmpty()
            case .endOfStream:
                return finish(sink, tellsEnd: framing.tellsEnd, in: workspace)
            case .failed(let failure):
                readiness = readiness.afterFailure()
                return .sourceFailed(failure)
            case .moved(let received):
                let bytes = UnsafeMutableRawBufferPointer(rebasing: buffer[..<received])
                let outcome =
                    mayPark
                    ? pass(bytes, to: sink, in: workspace, framing: &framing)
                    : passPeeked(bytes, from: source, to: sink, framing: &framing)
                if let outcome { return outcome }
                if waitsForSinksLayer(sink, in: workspace) { return .waiting }
                maySplice = true
                if received < limit, !source.mayHaveMore {
                    noteShortRead(of: source)
                    if framing.hasEnded { return .ended }
                    if hasSourceEnded { return finish(sink, tellsEnd: framing.tellsEnd, in: workspace) }
                } else {
                    if limit == readLimit {
                        isBulk = !source.isLayered && !sink.isLayered
                        readPower = min(readPower + 1, Self.largestReadPower)
                    }
                    if framing.hasEnded { return .ended }
                }
                bytesLeft -= received
                readsLeft -= 1
            }
        }
        return .waiting
    }

    /// Takes note that a receive has brought less than it might have: the source has nothing more for now.
    ///
    /// An end that was announced before it follows at once. Not so from the client: a read ends short at TCP's urgent mark
    /// too, and clients of old (telnet, FTP) do set it. Nor from a layer, whose end is a message of its own.
    func noteShortRead(of source: borrowing Socket) {
        readiness = readiness.afterShortRead(isLastBeforeEnd: direction == .toDownstream && !source.isLayered)
    }

    /// Gives back the memory of parked bytes, which will go nowhere any more.
    public func abandon(in workspace: RelayWorkspace) {
        switch state {
        case .waitingForSink(.parked(let bytes)): workspace.parkedBytes -= bytes.capacity
        case .waitingForSink(.inPipe(let pipe)): workspace.pipes.giveBack(pipe)
        case .waitingForSink(.inSource), .waitingForSink(.inSink), .flowing, .finished: break
        }
        workspace.parkedBytes -= bytesInSink
        bytesInSink = 0
        state = .finished
    }

    private func finish(_ sink: borrowing Socket, tellsEnd: Bool, in workspace: RelayWorkspace) -> Outcome {
        readiness = readiness.afterEnd()
        // The end is a message of the layer, and has to go out like all others before the connection may be closed.
        if sink.isLayered, tellsEnd {
            guard sink.finishSending() else { return .sinkFailed(.system(EPIPE)) }
            if waitsForSinksLayer(sink, in: workspace) { return .waiting }
        }
        state = .finished
        return .finished
    }

    func send(_ bytes: UnsafeRawBufferPointer, to sink: borrowing Socket) -> Socket.TransferResult {
        haveSinkPrompt(sink)
        return noting(sink.send(bytes))
    }

    func haveSinkPrompt(_ sink: borrowing Socket) {
        guard !sinkIsPrompt, hasSent else { return }
        sinkIsPrompt = true
        sink.sendPromptly()
    }

    func noting(_ result: Socket.TransferResult) -> Socket.TransferResult {
        if case .moved(let count) = result {
            bytesTaken += UInt64(count)
            hasSent = true
        }
        return result
    }

    func noteSourceIsEmpty() { readiness = readiness.afterVainRead() }

    /// Looks whether the sink's layer has taken what the kernel has not, and if so has the stream wait for that.
    func waitsForSinksLayer(_ sink: borrowing Socket, in workspace: RelayWorkspace) -> Bool {
        guard sink.isLayered, accountForSink(sink, in: workspace) else { return false }
        shrinkReads()
        state = .waitingForSink(.inSink)
        return true
    }

    /// - Returns: whether there is anything.
    private func accountForSink(_ sink: borrowing Socket, in workspace: RelayWorkspace) -> Bool {
        let bytes = sink.unsentBytes
        if bytes != bytesInSink {
            workspace.parkedBytes += bytes - bytesInSink
            bytesInSink = bytes
        }
        return bytes > 0
    }

    /// Sends what the sink did not take before, if there is anything, so that reading may go on.
    /// - Returns: why reading may not go on; nil when it may.
    func unpark(to sink: borrowing Socket, in workspace: RelayWorkspace) -> Outcome? {
        switch state {
        case .flowing: return nil
        case .finished: return .waiting
        case .waitingForSink(.inSource): break
        case .waitingForSink(.inSink):
            if let failure = sink.flush() { return .sinkFailed(failure) }
            if accountForSink(sink, in: workspace) { return .waiting }
        case .waitingForSink(.inPipe(let pipe)): return empty(pipe, into: sink, in: workspace)
        case .waitingForSink(.parked(let bytes)):
            switch send(bytes.remaining, to: sink) {
            case .moved(let sent):
                bytes.removeFirst(sent)
                if !bytes.remaining.isEmpty { return .waiting }
            case .wouldBlock, .endOfStream: return .waiting
            case .failed(let failure): return .sinkFailed(failure)
            }
            workspace.parkedBytes -= bytes.capacity
            if waitsForSinksLayer(sink, in: workspace) { return .waiting }
        }
        state = .flowing
        return nil
    }

    /// - Parameter bytes: what the sink did not take; nil where there was no memory to keep it.
    func park(_ bytes: PendingBytes?, in workspace: RelayWorkspace) -> Outcome {
        guard let bytes else { return .sinkFailed(.outOfMemory) }
        shrinkReads()
        workspace.parkedBytes += bytes.capacity
        state = .waitingForSink(.parked(bytes))
        return .waiting
    }

    func shrinkReads() {
        readPower = max(readPower - 1, Self.smallestReadPower)
    }
}

internal import EventLoop
internal import Network

/// One direction of a relay: it takes bytes from a source and gives them to a sink.
///
/// It holds no sockets and no buffer of its own. What the sink does not take at once is parked, and nothing
/// more is read until it is gone; so at any time at most one read's worth of bytes waits here, usually none.
struct HalfDuplex: ~Copyable {
    enum State {
        /// Whatever arrives goes out at once.
        case flowing
        /// The sink takes nothing more for now.
        case waitingForSink(Remainder)
        /// The source has ended, and the sink has everything.
        case finished
    }

    /// Where that is which the sink did not take.
    enum Remainder {
        case inSource
        case parked(ParkedBytes)
        case inPipe(SplicePipe)
    }

    private enum AnnouncedEnd {
        case none
        case endOfStream
        case failure
    }

    /// Where the bytes go.
    enum Direction {
        case toUpstream
        case toDownstream
    }

    /// Why ``advance(from:to:in:)`` has stopped.
    enum Outcome {
        /// There is nothing to do before the next event.
        case waiting
        /// There is more to do, but it is the other connections' turn.
        case yielded
        /// The source has ended just now, and the sink has everything: it is the caller's to tell it the end.
        case finished
        case sourceFailed(CInt)
        case sinkFailed(CInt)
    }

    private(set) var state = State.flowing
    /// Bytes that the sink's kernel has taken.
    private(set) var bytesMoved: UInt64 = 0

    private let direction: Direction
    /// The sink sends at once what it is given (TCP_NODELAY). What was accepted does, having it from its listener; the
    /// way to the app is told before the second send, since nothing holds up the first (RFC 9293 section 3.7.4).
    private var sinkIsPrompt: Bool
    /// The source may have something to be read.
    private var sourceIsReadable = false
    /// What follows that which can be read, and raises no event of its own any more.
    private var announcedEnd = AnnouncedEnd.none
    /// How much the next receive may take: grows while the sink keeps up, shrinks when it does not.
    private var readLimit = Self.initialReadLimit

    /// The source has so much to say that it is worth a pipe: two system calls more, and no copying.
    private var isBulk = false

    private static let initialReadLimit: Int32 = 64 << 10
    private static let smallestReadLimit: Int32 = 16 << 10
    private static let largestReadLimit = Int32(RelayWorkspace.scratchSize)
    /// A stream that brings less than this at a time is carried by copying.
    private static let leastBulk = 32 << 10
    /// In how many reads one turn may move what it may.
    private static let turnReads = 16

    init(_ direction: Direction) {
        self.direction = direction
        sinkIsPrompt = direction == .toDownstream
    }

    var isFinished: Bool {
        if case .finished = state { true } else { false }
    }

    var isWaitingForSink: Bool {
        if case .waitingForSink = state { true } else { false }
    }

    /// Whether the source is known to have failed, maybe after it had ended properly.
    var hasSourceFailed: Bool { announcedEnd == .failure }

    /// Notes what the source has become ready for: that something can be read, or what follows then.
    mutating func noteSource(_ readiness: IOEvent.Readiness) {
        sourceIsReadable = true
        if readiness.contains(.failed) {
            announcedEnd = .failure
        } else if readiness.contains(.endOfStream), announcedEnd == .none {
            announcedEnd = .endOfStream
        }
    }

    /// Moves what can be moved.
    /// - Parameter sinkIsReady: the sink has just become writable; without it, a sink that was full is taken to be
    ///   full still, so that no send is made in vain.
    mutating func advance(
        from source: borrowing Socket, to sink: borrowing Socket, sinkIsReady: Bool, in workspace: RelayWorkspace
    ) -> Outcome {
        if isWaitingForSink, !sinkIsReady { return .waiting }
        if let outcome = unpark(to: sink, in: workspace) { return outcome }
        let turnBytes = workspace.turnBytes
        var bytesLeft = turnBytes
        var readsLeft = Self.turnReads
        var maySplice = true
        while sourceIsReadable {
            guard bytesLeft > 0, readsLeft > 0 else { return .yielded }
            if isBulk, maySplice, let pipe = workspace.takePipe() {
                let limit = min(PipePool.capacity, turnBytes)
                let before = bytesMoved
                if let outcome = splice(through: pipe, limit, from: source, to: sink, in: workspace) { return outcome }
                let moved = Int(bytesMoved - before)
                // Only a receive can tell whether that was all, or the end.
                maySplice = moved == limit
                bytesLeft -= moved
                readsLeft -= 1
                continue
            }
            let limit = min(Int(readLimit), turnBytes)
            let mayPark = workspace.parkedBytes + limit <= workspace.parkingLimit
            let buffer = UnsafeMutableRawBufferPointer(rebasing: workspace.scratch[..<limit])
            switch source.receive(into: buffer, peek: !mayPark) {
            case .wouldBlock:
                sourceIsReadable = false
            case .endOfStream:
                return finish()
            case .failed(let code):
                sourceIsReadable = false
                return .sourceFailed(code)
            case .moved(let received):
                let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<received])
                let sent: Int
                switch send(bytes, to: sink) {
                case .moved(let count): sent = count
                case .wouldBlock, .endOfStream: sent = 0
                case .failed(let code): return .sinkFailed(code)
                }
                if !mayPark, sent > 0 {
                    // The bytes are the ones already sent; this takes them out of the source.
                    _ = source.receive(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<sent]))
                }
                if sent < received {
                    park(mayPark ? UnsafeRawBufferPointer(rebasing: bytes[sent...]) : nil, in: workspace)
                    return .waiting
                }
                maySplice = true
                if received < limit {
                    // The end was announced before this read, which was the last then. Not so from the client: a
                    // read ends short at TCP's urgent mark too, and clients of old (telnet, FTP) do set it.
                    if announcedEnd == .endOfStream, direction == .toDownstream { return finish() }
                    if announcedEnd == .none { sourceIsReadable = false }
                } else if limit == Int(readLimit) {
                    isBulk = true
                    readLimit = min(readLimit * 2, Self.largestReadLimit)
                }
                bytesLeft -= received
                readsLeft -= 1
            }
        }
        return .waiting
    }

    /// Delivers what a source had said before it was found broken, as far as the sink takes it at once; without a
    /// proxy in between it would have arrived too.
    ///
    /// The source's end is not passed on: its error was told already, and what follows looks like a clean end.
    mutating func deliverLastWords(
        from source: borrowing Socket, to sink: borrowing Socket, in workspace: RelayWorkspace
    ) {
        guard case .flowing = state else { return }
        for _ in 0..<Self.turnReads {
            guard case .moved(let received) = source.receive(into: workspace.scratch),
                case .moved(let sent) = send(
                    UnsafeRawBufferPointer(rebasing: workspace.scratch[..<received]), to: sink)
            else { return }
            if sent < received { return }
        }
    }

    /// Gives back the memory of parked bytes, which will go nowhere any more.
    mutating func abandon(in workspace: RelayWorkspace) {
        switch state {
        case .waitingForSink(.parked(let bytes)): workspace.parkedBytes -= bytes.capacity
        case .waitingForSink(.inPipe(let pipe)): workspace.pipes.giveBack(pipe)
        case .waitingForSink(.inSource), .flowing, .finished: break
        }
        state = .finished
    }

    private mutating func finish() -> Outcome {
        sourceIsReadable = false
        state = .finished
        return .finished
    }

    private mutating func send(_ bytes: UnsafeRawBufferPointer, to sink: borrowing Socket) -> Socket.TransferResult {
        haveSinkPrompt(sink)
        return noting(sink.send(bytes))
    }

    private mutating func send(_ pipe: SplicePipe, to sink: borrowing Socket) -> Socket.TransferResult {
        haveSinkPrompt(sink)
        return noting(pipe.empty(into: sink))
    }

    private mutating func haveSinkPrompt(_ sink: borrowing Socket) {
        guard !sinkIsPrompt, bytesMoved > 0 else { return }
        sinkIsPrompt = true
        sink.sendPromptly()
    }

    private mutating func noting(_ result: Socket.TransferResult) -> Socket.TransferResult {
        if case .moved(let count) = result { bytesMoved += UInt64(count) }
        return result
    }

    /// Moves up to `limit` bytes through the pipe, which is given back when it is empty.
    /// - Returns: why moving may not go on; nil when it may.
    private mutating func splice(
        through pipe: SplicePipe, _ limit: Int, from source: borrowing Socket, to sink: borrowing Socket,
        in workspace: RelayWorkspace
    ) -> Outcome? {
        switch pipe.fill(from: source, upTo: limit) {
        case .moved(let count): isBulk = count >= Self.leastBulk
        case .wouldBlock, .endOfStream: break
        case .failed(let code) where workspace.pipes.noteRefusal(code): isBulk = false
        case .failed(let code):
            sourceIsReadable = false
            workspace.pipes.giveBack(pipe)
            return .sourceFailed(code)
        }
        return empty(pipe, into: sink, in: workspace)
    }

    /// Sends what is in the pipe, and gives it back when it is empty.
    /// - Returns: why moving may not go on; nil when it may.
    private mutating func empty(
        _ pipe: SplicePipe, into sink: borrowing Socket, in workspace: RelayWorkspace
    ) -> Outcome? {
        state = .flowing
        if pipe.count > 0 {
            switch send(pipe, to: sink) {
            case .moved, .wouldBlock, .endOfStream: break
            case .failed(let code):
                workspace.pipes.giveBack(pipe)
                return .sinkFailed(code)
            }
            guard pipe.count == 0 else {
                state = .waitingForSink(.inPipe(pipe))
                return .waiting
            }
        }
        workspace.pipes.giveBack(pipe)
        return nil
    }

    /// Sends what the sink did not take before, if there is anything, so that reading may go on.
    /// - Returns: why reading may not go on; nil when it may.
    private mutating func unpark(to sink: borrowing Socket, in workspace: RelayWorkspace) -> Outcome? {
        switch state {
        case .flowing: return nil
        case .finished: return .waiting
        case .waitingForSink(.inSource): break
        case .waitingForSink(.inPipe(let pipe)): return empty(pipe, into: sink, in: workspace)
        case .waitingForSink(.parked(let bytes)):
            switch send(bytes.remaining, to: sink) {
            case .moved(let sent):
                bytes.removeFirst(sent)
                if !bytes.remaining.isEmpty { return .waiting }
            case .wouldBlock, .endOfStream: return .waiting
            case .failed(let code): return .sinkFailed(code)
            }
            workspace.parkedBytes -= bytes.capacity
        }
        state = .flowing
        return nil
    }

    private mutating func park(_ bytes: UnsafeRawBufferPointer?, in workspace: RelayWorkspace) {
        readLimit = max(readLimit / 2, Self.smallestReadLimit)
        guard let bytes else {
            state = .waitingForSink(.inSource)
            return
        }
        let parked = ParkedBytes(copying: bytes)
        workspace.parkedBytes += parked.capacity
        state = .waitingForSink(.parked(parked))
    }
}

internal import Network

/// Of what a source brings, the part that belongs to the stream is passed on.
extension HalfDuplex {
    /// Passes on what has been taken out of the source.
    /// - Returns: why moving may not go on; nil when the sink has taken all.
    func pass<Framing: StreamFraming>(
        _ bytes: UnsafeMutableRawBufferPointer, to sink: borrowing Socket, in workspace: RelayWorkspace,
        framing: inout Framing
    ) -> Outcome? {
        var passed = bytes.count
        if framing.plainBytesAhead >= UInt64(passed) {
            framing.advance(by: UInt64(passed))
        } else {
            guard let count = Self.extract(bytes, framing: &framing) else { return .invalid }
            passed = count
            guard passed > 0 else { return nil }
        }
        let sent: Int
        switch send(UnsafeRawBufferPointer(rebasing: bytes[..<passed]), to: sink) {
        case .moved(let count): sent = count
        case .wouldBlock, .endOfStream: sent = 0
        case .failed(let failure): return .sinkFailed(failure)
        }
        guard sent < passed else { return nil }
        return park(PendingBytes(copying: UnsafeRawBufferPointer(rebasing: bytes[sent..<passed])), in: workspace)
    }

    /// Moves what belongs to the stream to the front.
    /// - Returns: how many bytes that are; nil where they can't be the stream.
    private static func extract<Framing: StreamFraming>(
        _ bytes: UnsafeMutableRawBufferPointer, framing: inout Framing
    ) -> Int? {
        let span = bytes.bindMemory(to: UInt8.self)
        var passed = 0
        var position = 0
        while position < bytes.count {
            let step = framing.scan(span.span, from: position)
            if step.pass.lowerBound != passed, !step.pass.isEmpty {
                UnsafeMutableRawBufferPointer(rebasing: bytes[passed...])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[step.pass]))
            }
            passed += step.pass.count
            position = step.next
            switch step.outcome {
            case .goesOn: break
            case .invalid: return nil
            case .ended:
                if position < bytes.count { framing.keep(span.span.extracting(position...)) }
                return passed
            }
        }
        return passed
    }

    /// Passes on the beginning of what is still in the source, and takes out of it what the sink has taken.
    /// - Returns: why moving may not go on; nil when the sink has taken all that could be passed on in one piece.
    func passPeeked<Framing: StreamFraming>(
        _ bytes: UnsafeMutableRawBufferPointer, from source: borrowing Socket, to sink: borrowing Socket,
        framing: inout Framing
    ) -> Outcome? {
        let span = bytes.bindMemory(to: UInt8.self)
        let before = framing
        let step = framing.scan(span.span, from: 0)
        if case .invalid = step.outcome { return .invalid }
        var taken = step.next
        var isFull = false
        if !step.pass.isEmpty {
            switch send(UnsafeRawBufferPointer(rebasing: bytes[step.pass]), to: sink) {
            case .moved(step.pass.count): break
            case .moved(let count):
                isFull = true
                taken = step.pass.lowerBound + count
            case .wouldBlock, .endOfStream:
                isFull = true
                taken = step.pass.lowerBound
            case .failed(let failure): return .sinkFailed(failure)
            }
        }
        if isFull {
            framing = before
            if taken > 0 { _ = framing.scan(span.span.extracting(..<taken), from: 0) }
        }
        // The bytes are the ones that were seen; this takes them out of the source.
        if taken > 0 { _ = source.receive(into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<taken])) }
        guard isFull else { return nil }
        shrinkReads()
        state = .waitingForSink(.inSource)
        return .waiting
    }
}

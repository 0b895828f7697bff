public import Network

/// Bytes that the caller has looked at, or made, on their way to the sink.
extension HalfDuplex {
    /// Receives into the workspace's scratch buffer what the caller wants to look at by itself.
    public func receive(
        from source: borrowing Socket, upTo limit: Int, in workspace: RelayWorkspace
    ) -> Socket.TransferResult {
        let result = source.receive(into: UnsafeMutableRawBufferPointer(rebasing: workspace.scratch[..<limit]))
        switch result {
        case .moved(let count): if count < limit, !source.mayHaveMore { noteShortRead(of: source) }
        case .wouldBlock: noteSourceIsEmpty()
        case .endOfStream: readiness = readiness.afterEnd()
        case .failed: readiness = readiness.afterFailure()
        }
        return result
    }

    /// Sends two pieces, one behind the other, in one call as a rule; what the sink does not take is parked. It must not be
    /// waiting for the sink.
    /// - Returns: ``Outcome/ended`` when the sink has everything, or ``Outcome/waiting``, or ``Outcome/sinkFailed(_:)``.
    public func deliver(
        _ first: Span<UInt8>, _ second: Span<UInt8>, to sink: borrowing Socket, in workspace: RelayWorkspace
    ) -> Outcome {
        assert(!isWaitingForSink, "what was given before comes first")
        return first.withUnsafeBytes { first in
            second.withUnsafeBytes { second in
                haveSinkPrompt(sink)
                var sent = 0
                switch noting(sink.send(first, second)) {
                case .moved(let count): sent = count
                case .wouldBlock, .endOfStream: break
                case .failed(let failure): return .sinkFailed(failure)
                }
                if sent == first.count + second.count {
                    return waitsForSinksLayer(sink, in: workspace) ? .waiting : .ended
                }
                let rest = (
                    UnsafeRawBufferPointer(rebasing: first[min(sent, first.count)...]),
                    UnsafeRawBufferPointer(rebasing: second[max(sent - first.count, 0)...])
                )
                return park(PendingBytes(copying: rest.0, rest.1), in: workspace)
            }
        }
    }

    /// Gives the sink bytes of ours, and with them what the source has said already, in one call as a rule.
    /// - Returns: as ``deliver(_:_:to:in:)``, or ``Outcome/sourceFailed(_:)``.
    func begin(
        with preamble: Span<UInt8>, from source: borrowing Socket, to sink: borrowing Socket,
        in workspace: RelayWorkspace
    ) -> Outcome {
        let limit = Int(readLimit)
        var received = 0
        if mayReceive, workspace.mayPark(limit) {
            switch source.receive(into: UnsafeMutableRawBufferPointer(rebasing: workspace.scratch[..<limit])) {
            case .moved(let count):
                received = count
                if count < limit, !source.mayHaveMore { noteShortRead(of: source) }
            case .wouldBlock: noteSourceIsEmpty()
            // Is found again, and passed on then.
            case .endOfStream: break
            case .failed(let failure):
                // The source's last words may follow. Without ours before them the sink would take them for ours.
                if case .sinkFailed(let failure) = deliver(preamble, Span(), to: sink, in: workspace) {
                    return .sinkFailed(failure)
                }
                return .sourceFailed(failure)
            }
        }
        let words = workspace.scratch.bindMemory(to: UInt8.self).span.extracting(..<received)
        return deliver(preamble, words, to: sink, in: workspace)
    }

    /// Hands over what was parked, now that the sink has become writable.
    /// - Returns: as ``deliver(_:_:to:in:)``.
    public func flush(to sink: borrowing Socket, in workspace: RelayWorkspace) -> Outcome {
        isWaitingForSink ? unpark(to: sink, in: workspace) ?? .ended : .ended
    }
}

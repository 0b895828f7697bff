internal import Network

/// Bulk streams go through a pipe instead of the scratch buffer.
extension HalfDuplex {
    /// Moves up to `limit` bytes through the pipe, which is given back when it is empty.
    /// - Returns: why moving may not go on; nil when it may.
    func splice<Framing: StreamFraming>(
        through pipe: SplicePipe, _ limit: Int, from source: borrowing Socket, to sink: borrowing Socket,
        in workspace: RelayWorkspace, framing: inout Framing
    ) -> Outcome? {
        switch pipe.fill(from: source, upTo: limit) {
        case .moved(let count):
            isBulk = count >= Self.leastBulk
            framing.advance(by: UInt64(count))
        case .wouldBlock, .endOfStream: break
        case .failed(let failure) where workspace.pipes.noteRefusal(failure): isBulk = false
        case .failed(let failure):
            noteSourceIsEmpty()
            workspace.pipes.giveBack(pipe)
            return .sourceFailed(failure)
        }
        return empty(pipe, into: sink, in: workspace)
    }

    /// Sends what is in the pipe, and gives it back when it is empty.
    /// - Returns: why moving may not go on; nil when it may.
    func empty(
        _ pipe: SplicePipe, into sink: borrowing Socket, in workspace: RelayWorkspace
    ) -> Outcome? {
        state = .flowing
        if pipe.count > 0 {
            haveSinkPrompt(sink)
            switch noting(pipe.empty(into: sink)) {
            case .moved, .wouldBlock, .endOfStream: break
            case .failed(let failure):
                workspace.pipes.giveBack(pipe)
                return .sinkFailed(failure)
            }
            guard pipe.count == 0 else {
                state = .waitingForSink(.inPipe(pipe))
                return .waiting
            }
        }
        workspace.pipes.giveBack(pipe)
        return nil
    }
}

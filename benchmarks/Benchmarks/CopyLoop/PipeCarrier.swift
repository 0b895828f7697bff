import CSystemCalls
import EventLoop
import Glibc

/// splice(2) from the source into a pipe, and out of it into the sink.
struct PipeCarrier: Carrier {
    /// The pipe's two ends, closed with their last user.
    private final class Pipe {
        let readEnd: CInt
        let writeEnd: CInt
        let size: Int

        init(size: Int) throws(SystemError) {
            var ends: [CInt] = [-1, -1]
            guard make_pipe(&ends, CInt(size)) else { throw SystemError("F_SETPIPE_SZ") }
            (readEnd, writeEnd) = (ends[0], ends[1])
            self.size = size
        }

        deinit {
            close(readEnd)
            close(writeEnd)
        }
    }

    private let pipe: Pipe
    private var bytesInPipe = 0

    init(size: Int) throws(SystemError) {
        pipe = try Pipe(size: size)
    }

    var isWaitingForSink: Bool { bytesInPipe > 0 }

    mutating func carry(from source: CInt, to sink: CInt, endIsNear: Bool) -> CarrierOutcome {
        guard empty(into: sink) else { return .sinkIsFull }
        var moved = 0
        // Until the source has nothing more: a pipe is full when its slots are, whatever is in them, so a short
        // splice says nothing.
        while moved < turnBytes {
            let received = splice_nonblocking(source, pipe.writeEnd, pipe.size)
            if received == 0 { return .ended }
            guard received > 0 else {
                precondition(errno == EAGAIN, "splice failed with errno \(errno)")
                return .sourceIsEmpty
            }
            bytesInPipe = received
            guard empty(into: sink) else { return .sinkIsFull }
            moved += received
        }
        return .yielded
    }

    private mutating func empty(into sink: CInt) -> Bool {
        while bytesInPipe > 0 {
            let sent = splice_nonblocking(pipe.readEnd, sink, bytesInPipe)
            guard sent > 0 else {
                precondition(errno == EAGAIN, "splice failed with errno \(errno)")
                return false
            }
            bytesInPipe -= sent
        }
        return true
    }
}

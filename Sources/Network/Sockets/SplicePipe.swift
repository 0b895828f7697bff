internal import CLinux
public import EventLoop
internal import Glibc

/// A pipe through which bytes go from one socket to another by reference, without being copied (splice(2)).
///
/// Filling and emptying it from within one thread needs no lock; it belongs to whoever fills it.
public final class SplicePipe {
    private let readEnd: Descriptor
    private let writeEnd: Descriptor
    /// Bytes that are in it now.
    public private(set) var count = 0

    /// - Parameter capacity: in bytes. What the pipe really holds depends on how the bytes lie in the kernel's pages.
    /// - Throws: ``SystemError``: EMFILE or ENFILE; EPERM where it would be more than an unprivileged user may have in
    ///   pipes (pipe(7), pipe-max-size and pipe-user-pages-soft).
    public init(capacity: Int) throws(SystemError) {
        var ends: [CInt] = [-1, -1]
        guard clinux_pipe(&ends, CInt(clamping: capacity)) == 0 else { throw SystemError("pipe2") }
        readEnd = Descriptor(owning: ends[0])
        writeEnd = Descriptor(owning: ends[1])
        // Unlike send(2), splice(2) cannot be told to raise no signal where the peer is gone.
        signal(SIGPIPE, SIG_IGN)
    }

    /// Takes what has arrived at a socket, at most `limit` bytes of it; the pipe must be empty.
    ///
    /// Unlike with ``Socket/receive(into:peek:)``, neither `endOfStream` nor `wouldBlock` is to be relied on: splice(2)
    /// does not get over TCP's urgent mark, and reports it like that.
    public func fill(from source: borrowing Socket, upTo limit: Int) -> Socket.TransferResult {
        let result = move(from: source.number, to: writeEnd.number, limit)
        if case .moved(let moved) = result { count += moved }
        return result
    }

    /// Hands what is in the pipe to a socket for sending; all of it, or as much as it takes.
    public func empty(into sink: borrowing Socket) -> Socket.TransferResult {
        let result = move(from: readEnd.number, to: sink.number, count)
        if case .moved(let moved) = result { count -= moved }
        return result
    }

    private func move(from source: CInt, to sink: CInt, _ limit: Int) -> Socket.TransferResult {
        while true {
            let moved = clinux_splice(source, sink, limit)
            if moved > 0 { return .moved(moved) }
            if moved == 0 { return .endOfStream }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            case let code: return .failed(.system(code))
            }
        }
    }
}

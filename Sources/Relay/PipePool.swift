internal import EventLoop
internal import Glibc
internal import Network

/// The pipes of one worker: one goes from relay to relay, and a relay whose sink is full keeps its own meanwhile.
///
/// Belongs to the worker's thread.
struct PipePool {
    /// The most that an unprivileged process may have, unless the system says otherwise (pipe(7), pipe-max-size).
    static let capacity = 1 << 20
    /// The time after a refusal in which no further pipe is asked for.
    private static let patience = Duration.seconds(1)

    private var empty: [SplicePipe] = []
    /// The number of pipes, those that relays keep included.
    private var count = 0
    private var limit: Int
    private var refusedAt: MonotonicTime?

    init(limit: Int) {
        self.limit = limit
    }

    /// An empty pipe; nil when there are as many as there may be.
    mutating func take() -> SplicePipe? {
        if let pipe = empty.popLast() { return pipe }
        guard count < limit else { return nil }
        if let refusedAt, MonotonicTime.coarse.since(refusedAt) < Self.patience { return nil }
        do throws(SystemError) {
            let pipe = try SplicePipe(capacity: Self.capacity)
            count += 1
            return pipe
        } catch {
            refusedAt = .coarse
            return nil
        }
    }

    /// Takes a pipe back; one that is not empty is closed with all that is in it.
    mutating func giveBack(_ pipe: consuming SplicePipe) {
        if pipe.count == 0, count <= limit { empty.append(pipe) } else { count -= 1 }
    }

    /// Takes note that splice(2) has failed. Where there is no splice(2) for such sockets here, there are
    /// no pipes any more.
    /// - Returns: whether it was because of that, or for want of memory, so that the bytes can be received all the same.
    mutating func noteRefusal(_ failure: SocketFailure) -> Bool {
        switch failure.code {
        case EINVAL, ENOSYS, EPERM, EOPNOTSUPP:
            limit = 0
            count -= empty.count
            empty = []
        case ENOMEM: break
        default: return false
        }
        return true
    }
}

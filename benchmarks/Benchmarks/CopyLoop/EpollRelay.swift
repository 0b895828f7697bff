import CSystemCalls
import EventLoop
import Glibc

/// How one direction moves its bytes.
protocol Carrier {
    /// Moves what can be moved.
    /// - Parameter endIsNear: the source's end follows what can be read, and raises no event of its own.
    mutating func carry(from source: CInt, to sink: CInt, endIsNear: Bool) -> CarrierOutcome
    /// Whether bytes wait here for the sink.
    var isWaitingForSink: Bool { get }
}

enum CarrierOutcome {
    /// Nothing can be moved before the source is readable again.
    case sourceIsEmpty
    /// Nothing can be moved before the sink is writable again.
    case sinkIsFull
    /// There may be more, after the other streams' turn.
    case yielded
    /// The source has ended, and the sink has everything.
    case ended
}

/// A relay of the same shape as the product's on bare epoll(7), for any carrier: every socket registered once,
/// edge-triggered, for both directions.
///
/// Its peers are ours and never fail, so it does not handle errors but stops the program.
final class EpollRelay<Bytes: Carrier>: RelayUnderTest {
    private struct Direction {
        let source: CInt
        let sink: CInt
        var carrier: Bytes
        var isReadable = false
        var endIsNear = false
        var hasEnded = false
    }

    private let epoll: CInt
    /// Two for each stream; a direction's number with its lowest bit turned is that of the way back.
    private var directions: [Direction] = []
    private var running: Int
    private var again: [Int] = []

    init(_ streams: [Stream], carrier: () throws -> Bytes) throws {
        epoll = epoll_create1(0)
        running = 2 * streams.count
        for stream in streams {
            for (source, sink) in [(stream.downstream, stream.upstream), (stream.upstream, stream.downstream)] {
                var event = epoll_event()
                event.events = EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
                event.data.fd = CInt(directions.count)
                guard epoll_ctl(epoll, EPOLL_CTL_ADD, source, &event) == 0 else { throw SystemError("epoll_ctl") }
                directions.append(Direction(source: source, sink: sink, carrier: try carrier()))
            }
        }
    }

    deinit {
        close(epoll)
    }

    func run() {
        let size = 256
        withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: size) { events in
            while running > 0 {
                let ready = epoll_wait(epoll, events.baseAddress, CInt(size), again.isEmpty ? -1 : 0)
                for event in events[..<max(Int(ready), 0)] { handle(event) }
                takeTurns()
            }
        }
    }

    private func handle(_ event: epoll_event) {
        let number = Int(event.data.fd)
        if event.events & ~EPOLLOUT.rawValue != 0, !directions[number].hasEnded {
            directions[number].isReadable = true
            if event.events & EPOLLRDHUP.rawValue != 0 { directions[number].endIsNear = true }
            if !directions[number].carrier.isWaitingForSink { advance(number) }
        }
        if event.events & EPOLLOUT.rawValue != 0, directions[number ^ 1].carrier.isWaitingForSink {
            advance(number ^ 1)
        }
    }

    private func takeTurns() {
        guard !again.isEmpty else { return }
        let due = again
        again.removeAll(keepingCapacity: true)
        for number in due where directions[number].isReadable && !directions[number].carrier.isWaitingForSink {
            advance(number)
        }
    }

    private func advance(_ number: Int) {
        let (source, sink) = (directions[number].source, directions[number].sink)
        let endIsNear = directions[number].endIsNear
        switch directions[number].carrier.carry(from: source, to: sink, endIsNear: endIsNear) {
        case .sourceIsEmpty: directions[number].isReadable = false
        case .sinkIsFull: break
        case .yielded: again.append(number)
        case .ended:
            directions[number].isReadable = false
            directions[number].hasEnded = true
            running -= 1
            if directions[number ^ 1].hasEnded {
                close(source)
                close(sink)
            } else {
                shutdown(sink, CInt(SHUT_WR))
            }
        }
    }
}

/// How many bytes one direction may move before the others' turn.
let turnBytes = 2 << 20

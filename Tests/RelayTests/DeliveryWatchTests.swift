import EventLoop
import Network
import Relay
import TestSupport
import Testing

/// A peer that takes something now and then is told apart from one that takes nothing.
@Suite(.timeLimit(.minutes(1))) struct DeliveryWatchTests {
    @Test func tellsWhetherThePeerHasTakenSomething() throws {
        let loop = try EventLoop()
        let (peer, ours) = try Peer.watched(on: loop)
        var watch = DeliveryWatch()
        var hasMoved = watch.hasMoved(ours.socket)
        #expect(!hasMoved)
        let piece = [UInt8](repeating: 0, count: 64 << 10)
        while case .moved = piece.withUnsafeBytes({ ours.socket.send($0) }) {}
        // The kernels need a moment until the peer's buffer is full.
        var isFull = false
        #expect(
            try loop.run(until: {
                if !isFull { isFull = !watch.hasMoved(ours.socket) && ours.socket.undeliveredBytes > 0 }
                return isFull
            }))
        hasMoved = watch.hasMoved(ours.socket)
        #expect(!hasMoved)
        peer.read()
        // It is looked at once more at the end.
        #expect(
            try loop.run(until: {
                if !hasMoved { hasMoved = watch.hasMoved(ours.socket) }
                return hasMoved
            }))
    }

    /// From half the time on it is asked for deliveries, so that there were two looks when the time is over.
    @Test func silenceIsMeasuredWithTwoLooks() throws {
        let loop = try EventLoop()
        let start = MonotonicTime.now
        var (looks, silent, delivering) = (0, false, false)
        var deadline: Deadline?
        deadline = try Deadline(on: loop) { hearing in
            let limit = hearing.silence(since: start) * 3 / 2
            delivering = hearing.hasFallenSilent(since: start, for: limit / 2) { true }
            silent = hearing.hasFallenSilent(since: start, for: limit / 2) { false }
            _ = hearing.hasFallenSilent(since: start, for: limit) {
                looks += 1
                return false
            }
            _ = hearing.hasFallenSilent(since: start, for: limit * 2) {
                looks += 100
                return false
            }
        }
        deadline?.schedule(after: .milliseconds(40))
        #expect(try loop.run(until: { looks > 0 }))
        #expect(looks == 1 && silent && !delivering)
        withExtendedLifetime(deadline) {}
    }
}

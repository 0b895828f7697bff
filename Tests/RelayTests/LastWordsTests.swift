import EventLoop
import Glibc
import Network
import Relay
import TestSupport
import Testing

/// What a sender's kernel had acknowledged arrives, to the byte, and then the reset.
@Suite struct LastWordsTests {
    private static func start(parkingLimit: Int = 1 << 20, pipes: Int = 8) throws -> DuplexBench {
        let bench = try DuplexBench(parkingLimit: parkingLimit, pipes: pipes)
        bench.duplex.start()
        return bench
    }

    private static let block = (0..<65_521).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }

    /// Sends until nothing more fits between the two, and returns how much the kernel at the other end has.
    private func fill(_ source: Peer, _ bench: DuplexBench, atMost total: Int = 64 << 20) throws -> Int {
        var sent = 0
        var turnsWithoutProgress = 0
        #expect(
            try bench.loop.run(until: {
                let count = source.send(Self.block[(sent % Self.block.count)...].prefix(total - sent))
                sent += count
                turnsWithoutProgress = count == 0 ? turnsWithoutProgress + 1 : 0
                return turnsWithoutProgress > 100
            }))
        return sent - source.unacknowledged
    }

    private func isTheBeginning(_ bytes: [UInt8]) -> Bool {
        stride(from: 0, to: bytes.count, by: Self.block.count).allSatisfy { start in
            bytes[start..<min(start + Self.block.count, bytes.count)].elementsEqual(
                Self.block.prefix(bytes.count - start))
        }
    }

    /// 0: nothing may be parked, and what the sink does not take stays in the source's kernel.
    @Test(arguments: [0, 100_000, 1 << 30], [(0, true), (8, true), (0, false), (8, false)])
    func everythingThatWasAcknowledgedArrives(parkingLimit: Int, way: (pipes: Int, isFromApp: Bool)) throws {
        let bench = try Self.start(parkingLimit: parkingLimit, pipes: way.pipes)
        let (source, sink) = way.isFromApp ? (bench.app, bench.client) : (bench.client, bench.app)
        let acknowledged = try fill(source, bench)
        #expect(acknowledged > 1 << 20)
        source.reset()
        bench.turn(20)
        #expect(bench.end.value == nil, "it waits for the receiver")
        #expect(bench.duplex.isHalfClosed)
        #expect(
            try bench.loop.run(until: {
                sink.read(atMost: 300_000)
                return sink.end != nil
            }))
        #expect(sink.received.count == acknowledged)
        #expect(isTheBeginning(sink.received))
        #expect(sink.end == ECONNRESET)
        #expect(try bench.loop.run(until: { bench.end.value != nil }))
        #expect(
            bench.end.value
                == (way.isFromApp ? .upstreamFailed(.system(ECONNRESET)) : .downstreamFailed(.system(ECONNRESET)))
        )
        #expect(bench.workspace.parkedBytes == 0)
    }

    /// As where an app closes with something unread behind its last word: a client that is connected directly sees that the stream
    /// is whole.
    @Test(arguments: [true, false]) func anEndThatStoodBeforeTheResetIsPassedOn(isFromApp: Bool) throws {
        let bench = try Self.start()
        let (source, sink) = isFromApp ? (bench.app, bench.client) : (bench.client, bench.app)
        let words = Self.block.prefix(10_000)
        #expect(source.send(words) == words.count)
        source.finishSending()
        // The other kernel has all of it, the end included.
        while source.unacknowledged > 0 {}
        source.reset()
        #expect(
            try bench.loop.run(until: {
                sink.read()
                return sink.end != nil
            }))
        #expect(sink.received.elementsEqual(words))
        #expect(sink.end == 0)
        #expect(try bench.loop.run(until: { bench.end.value != nil }))
    }

    /// The relay finds out by a send to the one that has gone, before it is told.
    @Test(arguments: [true, false])
    func aFailedSendFindsTheLastWords(isFromApp: Bool) throws {
        let bench = try Self.start()
        let (source, sink) = isFromApp ? (bench.app, bench.client) : (bench.client, bench.app)
        bench.turn()
        #expect(sink.send("goes nowhere".utf8) == 12)
        let words = Array(Self.block.prefix(10_000))
        #expect(source.send(words) == words.count)
        source.reset()
        #expect(
            try bench.loop.run(until: {
                sink.read()
                return sink.end != nil
            }))
        #expect(sink.received == words)
        #expect(sink.end == ECONNRESET)
    }

    @Test(arguments: [true, false])
    func behindAHalfClose(isFromApp: Bool) throws {
        let bench = try Self.start()
        let (source, sink) = isFromApp ? (bench.app, bench.client) : (bench.client, bench.app)
        sink.finishSending()
        #expect(
            try bench.loop.run(until: {
                source.read()
                return source.end == 0
            }))
        let acknowledged = try fill(source, bench)
        source.reset()
        bench.turn(20)
        #expect(
            try bench.loop.run(until: {
                sink.read(atMost: 300_000)
                return sink.end != nil
            }))
        #expect(sink.received.count == acknowledged)
        #expect(sink.end == ECONNRESET)
    }

    @Test func anAbortDoesNotWait() throws {
        let bench = try Self.start()
        _ = try fill(bench.app, bench)
        bench.app.reset()
        bench.turn(20)
        #expect(bench.end.value == nil)
        bench.duplex.abort()
        #expect(bench.end.value == .upstreamFailed(.system(ECONNRESET)))
        #expect(bench.workspace.parkedBytes == 0)
        #expect(
            try bench.loop.run(until: {
                bench.client.read()
                return bench.client.end != nil
            }))
        #expect(bench.client.end == ECONNRESET)
    }

    @Test func whenBothHaveFailedNothingIsWaitedFor() throws {
        let bench = try Self.start()
        _ = try fill(bench.app, bench)
        bench.app.reset()
        bench.turn(20)
        bench.client.reset()
        #expect(try bench.loop.run(until: { bench.end.value != nil }))
        #expect(bench.end.value == .upstreamFailed(.system(ECONNRESET)))
        #expect(bench.workspace.parkedBytes == 0)
    }
}

extension DuplexBench {
    fileprivate func turn(_ count: Int = 3) { for _ in 0..<count { loop.runOnce() } }
}

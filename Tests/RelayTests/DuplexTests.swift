import EventLoop
import Glibc
import Network
import Relay
import TestSupport
import Testing

@Suite struct DuplexTests {
    @Test func bytesGoBothWaysAndEndsFollow() throws {
        let bench = try DuplexBench()
        bench.duplex.start()
        #expect(bench.client.send("question".utf8) == 8)
        #expect(try bench.run(until: { bench.app.received == Array("question".utf8) }))
        bench.client.finishSending()
        #expect(try bench.run(until: { bench.app.end == 0 }))
        #expect(bench.duplex.isHalfClosed)
        #expect(bench.end.value == nil)
        // The other direction goes on.
        #expect(bench.app.send("answer".utf8) == 6)
        #expect(try bench.run(until: { bench.client.received == Array("answer".utf8) }))
        #expect(bench.client.end == nil)
        bench.app.finishSending()
        #expect(try bench.run(until: { bench.end.value == .finished }))
        #expect(try bench.run(until: { bench.client.end == 0 }))
        #expect(bench.duplex.bytesToUpstream == 8)
        #expect(bench.duplex.bytesToDownstream == 6)
    }

    @Test func whatCameBeforeTheStartIsNotLost() throws {
        let bench = try DuplexBench()
        #expect(bench.client.send("early".utf8) == 5)
        bench.client.finishSending()
        // The loop tells of it once, while nobody listens yet.
        for _ in 0..<3 { bench.loop.runOnce() }
        bench.duplex.start()
        #expect(try bench.run(until: { bench.app.received == Array("early".utf8) && bench.app.end == 0 }))
    }

    @Test func bytesAndEndThatArriveTogetherAreBothDelivered() throws {
        let bench = try DuplexBench()
        bench.duplex.start()
        #expect(bench.app.send("last words".utf8) == 10)
        bench.app.finishSending()
        #expect(try bench.run(until: { bench.client.end == 0 }))
        #expect(bench.client.received == Array("last words".utf8))
    }

    @Test(arguments: [false, true])
    func aResetIsCarriedAcross(fromApp: Bool) throws {
        let bench = try DuplexBench()
        let (source, sink) = fromApp ? (bench.app, bench.client) : (bench.client, bench.app)
        bench.duplex.start()
        for _ in 0..<3 { bench.loop.runOnce() }
        source.reset()
        #expect(try bench.run(until: { sink.end == ECONNRESET }))
        #expect(
            bench.end.value == (fromApp ? .upstreamFailed(.system(ECONNRESET)) : .downstreamFailed(.system(ECONNRESET)))
        )
    }

    @Test(arguments: [false, true])
    func aResetThatArrivesTogetherWithBytesIsCarriedAcross(fromApp: Bool) throws {
        let bench = try DuplexBench()
        let (source, sink) = fromApp ? (bench.app, bench.client) : (bench.client, bench.app)
        bench.duplex.start()
        for _ in 0..<3 { bench.loop.runOnce() }
        // Both are there before the loop looks, and one event tells of both.
        #expect(source.send("half of it".utf8) == 10)
        source.reset()
        #expect(try bench.run(until: { sink.end != nil }))
        #expect(sink.end == ECONNRESET)
        #expect(sink.received == Array("half of it".utf8))
    }

    @Test func aResetAfterAnEndIsCarriedAcross() throws {
        let bench = try DuplexBench()
        bench.duplex.start()
        bench.client.finishSending()
        #expect(try bench.run(until: { bench.app.end == 0 }))
        bench.client.reset()
        // A reset in that state is EPIPE to the kernel (tcp_reset in its tcp_input.c).
        #expect(try bench.run(until: { bench.end.value == .downstreamFailed(.system(EPIPE)) }))
    }

    @Test func whatTheAppSaidBeforeItWentIsDeliveredBeforeTheReset() throws {
        let bench = try DuplexBench()
        bench.duplex.start()
        for _ in 0..<3 { bench.loop.runOnce() }
        // The app answers and leaves without reading the request: the kernel sends its answer, then a reset.
        #expect(bench.client.send([UInt8](repeating: 1, count: 1000)) == 1000)
        for _ in 0..<3 { bench.loop.runOnce() }
        #expect(bench.app.send("no".utf8) == 2)
        bench.app.close()
        #expect(bench.client.send([UInt8](repeating: 2, count: 1000)) == 1000)
        #expect(try bench.run(until: { bench.client.end != nil }))
        #expect(bench.client.received == Array("no".utf8))
        #expect(bench.client.end == ECONNRESET)
    }

    @Test func abortingResetsBothSides() throws {
        let bench = try DuplexBench()
        bench.duplex.start()
        bench.duplex.abort()
        #expect(bench.end.value == .aborted)
        #expect(try bench.run(until: { bench.client.end == ECONNRESET && bench.app.end == ECONNRESET }))
        bench.duplex.abort()
    }

    /// 0: nothing may be parked, and what the sink does not take stays in the source's kernel.
    @Test(arguments: [0, 100_000, 1 << 30], [0, 1])
    func aSlowReaderGetsEverythingAndCostsNoMoreThanTheLimit(parkingLimit: Int, pipes: Int) throws {
        let bench = try DuplexBench(parkingLimit: parkingLimit, pipes: pipes)
        bench.duplex.start()
        let total = 24 << 20
        var generator = SystemRandomNumberGenerator()
        let block = (0..<65_536).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        var sent = 0
        var mostParked = 0
        // The app sends as much as it can; the client reads nothing until everything is stuck.
        func fill() {
            while sent < total {
                let count = bench.app.send(block[(sent % block.count)...])
                sent += count
                if count == 0 { break }
            }
            mostParked = max(mostParked, bench.workspace.parkedBytes)
        }
        var turnsWithoutProgress = 0
        #expect(
            try bench.loop.run(until: {
                let before = sent
                fill()
                turnsWithoutProgress = sent == before ? turnsWithoutProgress + 1 : 0
                return turnsWithoutProgress > 100
            }))
        #expect(sent < total)
        #expect(mostParked <= parkingLimit)
        if parkingLimit > 1 << 20, pipes == 0 { #expect(mostParked > 0) }
        #expect(
            try bench.loop.run(until: {
                fill()
                bench.client.read(atMost: 300_000)
                return bench.client.received.count >= total
            }))
        var isEqual = true
        for start in stride(from: 0, to: total, by: block.count) {
            isEqual = isEqual && bench.client.received[start..<start + block.count].elementsEqual(block)
        }
        #expect(isEqual)
        #expect(bench.workspace.parkedBytes == 0)
    }

    @Test func anEndedRelayGivesParkedMemoryBack() throws {
        let bench = try DuplexBench(parkingLimit: 1 << 30, pipes: 0)
        bench.duplex.start()
        let block = [UInt8](repeating: 7, count: 1 << 20)
        #expect(
            try bench.loop.run(until: {
                _ = bench.app.send(block)
                return bench.workspace.parkedBytes > 0
            }))
        bench.client.reset()
        #expect(try bench.loop.run(until: { bench.end.value != nil }))
        #expect(bench.workspace.parkedBytes == 0)
    }

    /// Runs the relay until nothing moves any more, with an app that sends all the time and a client that does not read.
    private func fillUntilStuck(_ bench: DuplexBench, with block: [UInt8]) throws {
        var sent = 0
        var turnsWithoutProgress = 0
        #expect(
            try bench.loop.run(until: {
                let now = bench.app.send(block)
                sent += now
                turnsWithoutProgress = now == 0 ? turnsWithoutProgress + 1 : 0
                return turnsWithoutProgress > 100
            }))
    }

    @Test func aBulkStreamIsNotCopied() throws {
        let bench = try DuplexBench()
        bench.duplex.start()
        try fillUntilStuck(bench, with: [UInt8](repeating: 7, count: 1 << 20))
        // What the client does not take is in a pipe, and not in memory.
        #expect(bench.workspace.parkedBytes == 0)
        #expect(bench.duplex.bytesToDownstream > 64 << 10)
    }

    @Test func relaysThatFindNoPipeCopy() throws {
        let loop = try EventLoop()
        let workspace = RelayWorkspace(on: loop, parkingLimit: 1 << 30, pipes: 1)
        let block = [UInt8](repeating: 7, count: 1 << 20)
        let first = try DuplexBench(on: loop, in: workspace)
        first.duplex.start()
        try fillUntilStuck(first, with: block)
        #expect(workspace.parkedBytes == 0)
        let second = try DuplexBench(on: loop, in: workspace)
        second.duplex.start()
        try fillUntilStuck(second, with: block)
        #expect(workspace.parkedBytes > 0)
        // A relay that ends with a full pipe leaves its place to the next.
        first.client.reset()
        #expect(try loop.run(until: { first.end.value != nil }))
        let parked = workspace.parkedBytes
        let third = try DuplexBench(on: loop, in: workspace)
        third.duplex.start()
        try fillUntilStuck(third, with: block)
        #expect(workspace.parkedBytes == parked)
    }

    /// splice(2) stops at TCP's urgent mark and says that there is nothing more, or that the stream has ended.
    @Test func aBulkStreamGetsOverAnUrgentMark() throws {
        let bench = try DuplexBench()
        bench.duplex.start()
        let block = [UInt8](repeating: 7, count: 256 << 10)
        for _ in 0..<3 {
            let count = bench.client.send(block)
            let expected = bench.app.received.count + count
            #expect(try bench.run(until: { bench.app.received.count >= expected }))
        }
        let before = bench.app.received.count
        var expected = before + bench.client.send(block)
        #expect(bench.client.sendUrgently(8))
        expected += bench.client.send(block)
        bench.client.finishSending()
        #expect(try bench.run(until: { bench.app.end != nil }))
        // The urgent byte itself is not part of the stream.
        #expect(bench.app.received.count == expected)
    }

    /// A read ends at the mark, and of what is behind it nobody tells.
    @Test(arguments: [true, false]) func fewBytesBehindAnUrgentMarkAreRead(isFromApp: Bool) throws {
        let bench = try DuplexBench()
        let (source, sink) = isFromApp ? (bench.app, bench.client) : (bench.client, bench.app)
        #expect(source.send("before".utf8) == 6)
        #expect(source.sendUrgently(8))
        #expect(source.send(" behind".utf8) == 7)
        // The loop tells of all at once, while nobody reads.
        for _ in 0..<3 { bench.loop.runOnce() }
        bench.duplex.start()
        #expect(try bench.run(until: { sink.received == Array("before behind".utf8) }))
        #expect(source.send(" again".utf8) == 6)
        source.finishSending()
        #expect(try bench.run(until: { sink.end == 0 }))
        #expect(sink.received == Array("before behind again".utf8))
    }

    @Test func aResetOfABulkStreamIsNoEnd() throws {
        let bench = try DuplexBench()
        bench.duplex.start()
        let block = [UInt8](repeating: 7, count: 256 << 10)
        var sent = 0
        #expect(
            try bench.run(until: {
                sent += bench.app.send(block)
                return sent > 8 << 20
            }))
        bench.app.reset()
        #expect(try bench.run(until: { bench.client.end != nil }))
        #expect(bench.client.end == ECONNRESET)
        #expect(bench.end.value == .upstreamFailed(.system(ECONNRESET)))
    }

    @Test func oneBusyRelayDoesNotKeepTheOthersWaiting() throws {
        let loop = try EventLoop()
        let workspace = RelayWorkspace(on: loop)
        let bulk = try DuplexBench(on: loop, in: workspace)
        let small = try DuplexBench(on: loop, in: workspace)
        bulk.duplex.start()
        small.duplex.start()
        let block = [UInt8](repeating: 7, count: 8 << 20)
        var sent = 0
        for _ in 0..<200 {
            sent += bulk.app.send(block)
            _ = small.client.send([1])
            let moved = bulk.duplex.bytesToDownstream
            loop.runOnce()
            #expect(bulk.duplex.bytesToDownstream - moved < 3 << 20)
            bulk.client.read()
        }
        small.app.read()
        #expect(sent > 64 << 20)
        #expect(small.app.received.count >= 198)
    }

    @Test(arguments: [0, 2, 100])
    func manyRelaysWithRandomStreamsAndHalfClosesDeliverEverything(pipes: Int) throws {
        let loop = try EventLoop()
        let workspace = RelayWorkspace(on: loop, parkingLimit: 1 << 20, pipes: pipes)
        var generator = SystemRandomNumberGenerator()
        struct Stream {
            let source: Peer
            let sink: Peer
            let bytes: [UInt8]
            var sent = 0
        }
        var streams: [Stream] = []
        var benches: [DuplexBench] = []
        for _ in 0..<40 {
            let bench = try DuplexBench(on: loop, in: workspace)
            bench.duplex.start()
            benches.append(bench)
            for (source, sink) in [(bench.client, bench.app), (bench.app, bench.client)] {
                let count = Int.random(in: 0...400_000, using: &generator)
                let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ count) }
                streams.append(Stream(source: source, sink: sink, bytes: bytes))
            }
        }
        let isDone = try loop.run(
            until: {
                for index in streams.indices {
                    if streams[index].sent < streams[index].bytes.count {
                        streams[index].sent += streams[index].source.send(streams[index].bytes[streams[index].sent...])
                        if streams[index].sent == streams[index].bytes.count { streams[index].source.finishSending() }
                    } else if streams[index].bytes.isEmpty {
                        streams[index].source.finishSending()
                    }
                    if Bool.random(using: &generator) { streams[index].sink.read(atMost: 50_000) }
                }
                return streams.allSatisfy { $0.sink.end != nil }
            }, atMost: .seconds(30))
        #expect(isDone)
        #expect(streams.allSatisfy { $0.sink.end == 0 && $0.sink.received == $0.bytes })
        #expect(benches.allSatisfy { $0.end.value == .finished })
        #expect(workspace.parkedBytes == 0)
    }
}

import EventLoop
import Network
import Relay
import TestSupport
import Testing

/// So many bytes, of which those that are `#` are left out; looked at one by one.
private struct LeavingOut: StreamFraming {
    var left: Int
    var surplus: [UInt8] = []

    var hasEnded: Bool { left == 0 }
    var plainBytesAhead: UInt64 { 0 }
    var readLimit: Int { .max }

    mutating func advance(by count: UInt64) {}

    mutating func scan(_ bytes: Span<UInt8>, from start: Int) -> StreamStep {
        var index = start
        while index < bytes.count, left > 0, bytes[index] == UInt8(ascii: "#") {
            index += 1
            left -= 1
        }
        let first = index
        while index < bytes.count, left > 0, bytes[index] != UInt8(ascii: "#") {
            if bytes[index] == UInt8(ascii: "!") {
                return StreamStep(pass: first..<index, next: index, outcome: .invalid)
            }
            index += 1
            left -= 1
        }
        return StreamStep(pass: first..<index, next: index, outcome: hasEnded ? .ended : .goesOn)
    }

    mutating func keep(_ surplus: Span<UInt8>) {
        for index in surplus.indices { self.surplus.append(surplus[index]) }
    }
}

/// So many bytes, which nobody needs to look at.
private struct Counted: StreamFraming {
    var left: Int

    var hasEnded: Bool { left == 0 }
    var plainBytesAhead: UInt64 { UInt64(left) }
    var readLimit: Int { left }

    mutating func advance(by count: UInt64) { left -= Int(count) }

    mutating func scan(_ bytes: Span<UInt8>, from start: Int) -> StreamStep {
        let end = min(bytes.count, start + left)
        left -= end - start
        return StreamStep(pass: start..<end, next: end, outcome: hasEnded ? .ended : .goesOn)
    }

    mutating func keep(_ surplus: Span<UInt8>) {}
}

/// One direction, from a client to an app.
private final class Bench {
    let loop: EventLoop
    let workspace: RelayWorkspace
    let client: Peer
    let app: Peer
    let source: WatchedSocket
    let sink: WatchedSocket
    let half = HalfDuplex(.toUpstream)

    init(parkingLimit: Int = 1 << 20) throws {
        loop = try EventLoop()
        workspace = RelayWorkspace(on: loop, parkingLimit: parkingLimit)
        (client, source) = try Peer.watched(on: loop)
        (app, sink) = try Peer.watched(on: loop)
    }

    deinit {
        half.abandon(in: workspace)
    }

    /// Advances whenever either socket is ready, until the stream is at its end; the app takes in what arrives.
    func carry<Framing: StreamFraming>(_ framing: inout Framing) throws -> HalfDuplex.Outcome {
        var outcome = HalfDuplex.Outcome.waiting
        var current = framing
        var isOver = false
        defer { framing = current }
        _ = try loop.run(until: { [self] in
            if isOver { return true }
            half.noteSource([.readable])
            outcome = half.advance(
                from: source.socket, to: sink.socket, sinkIsReady: true, in: workspace, framing: &current)
            app.read()
            switch outcome {
            case .waiting, .yielded: break
            default: isOver = true
            }
            return isOver
        })
        return outcome
    }
}

@Suite struct FramedStreamTests {
    @Test func aCountedStreamLeavesTheRestInTheSource() throws {
        let bench = try Bench()
        #expect(bench.client.send("bodynext".utf8) == 8)
        var framing = Counted(left: 4)
        guard case .ended = try bench.carry(&framing) else { return #expect(Bool(false)) }
        #expect(
            try bench.loop.run(until: {
                bench.app.read(); return bench.app.received == Array("body".utf8)
            }))
        let next = bench.half.receive(from: bench.source.socket, upTo: 100, in: bench.workspace)
        #expect(next == .moved(4), "the next message is where it should be")
    }

    @Test func whatIsBeyondAScannedStreamIsKept() throws {
        let bench = try Bench()
        #expect(bench.client.send("a#b##c#next".utf8) == 11)
        var framing = LeavingOut(left: 7)
        guard case .ended = try bench.carry(&framing) else { return #expect(Bool(false)) }
        #expect(framing.surplus == Array("next".utf8))
        #expect(
            try bench.loop.run(until: {
                bench.app.read(); return bench.app.received == Array("abc".utf8)
            }))
    }

    @Test func whatIsInvalidIsTold() throws {
        let bench = try Bench()
        #expect(bench.client.send("ab!".utf8) == 3)
        var framing = LeavingOut(left: 10)
        guard case .invalid = try bench.carry(&framing) else { return #expect(Bool(false)) }
    }

    @Test(arguments: [0, 1 << 20]) func aSlowSinkGetsEveryByteOfALongStream(parkingLimit: Int) throws {
        // Without room for parking, the stream is looked at before it is taken out of the source, more than once.
        let bench = try Bench(parkingLimit: parkingLimit)
        let total = 600_000
        var sent: [UInt8] = []
        var expected: [UInt8] = []
        for index in 0..<total {
            let byte = index % 1000 == 7 ? UInt8(ascii: "#") : UInt8(ascii: "a") + UInt8(index % 26)
            sent.append(byte)
            if byte != UInt8(ascii: "#") { expected.append(byte) }
        }
        var position = 0
        var framing = LeavingOut(left: total)
        var ended = false
        var turns = 0
        #expect(
            try bench.loop.run(until: {
                if position < total { position += bench.client.send(sent[position..<min(position + 65536, total)]) }
                bench.half.noteSource([.readable])
                switch bench.half.advance(
                    from: bench.source.socket, to: bench.sink.socket, sinkIsReady: true, in: bench.workspace,
                    framing: &framing)
                {
                case .ended: ended = true
                case .waiting, .yielded: break
                default: return true
                }
                turns += 1
                // Slow: what it takes in is less than what there is.
                if turns % 3 == 0 { bench.app.read() }
                return ended && bench.app.received.count == expected.count
            }))
        #expect(bench.app.received == expected)
        #expect(bench.workspace.parkedBytes == 0)
    }

    @Test func twoPiecesGoOneBehindTheOther() throws {
        let bench = try Bench()
        let (head, body) = (Array("head ".utf8), Array("body".utf8))
        guard case .ended = bench.half.deliver(head.span, body.span, to: bench.sink.socket, in: bench.workspace) else {
            return #expect(Bool(false))
        }
        #expect(
            try bench.loop.run(until: {
                bench.app.read(); return bench.app.received == head + body
            }))
    }

    @Test func piecesThatAreNotTakenAreParked() throws {
        let bench = try Bench(parkingLimit: 64 << 20)
        let (head, body) = ([UInt8](repeating: 1, count: 9_000_000), [UInt8](repeating: 2, count: 5_000_000))
        guard case .waiting = bench.half.deliver(head.span, body.span, to: bench.sink.socket, in: bench.workspace)
        else { return #expect(Bool(false), "the kernel takes more than expected") }
        let waits = bench.half.isWaitingForSink
        #expect(waits)
        #expect(
            try bench.loop.run(until: {
                bench.app.read()
                _ = bench.half.flush(to: bench.sink.socket, in: bench.workspace)
                return bench.app.received.count == 14_000_000
            }))
        #expect(bench.app.received == head + body)
        #expect(bench.workspace.parkedBytes == 0)
    }
}

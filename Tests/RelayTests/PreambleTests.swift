import EventLoop
import Glibc
import Network
import Relay
import TestSupport
import Testing

/// Bytes of ours come before everything that the client says.
@Suite struct PreambleTests {
    private static let preamble = Array("preamble ".utf8)

    @Test func aPreambleComesBeforeEverything() throws {
        let bench = try DuplexBench()
        bench.duplex.start(with: Self.preamble.span)
        #expect(try bench.run(until: { bench.app.received == Self.preamble }))
        // The app may speak first.
        #expect(bench.app.send("greeting".utf8) == 8)
        #expect(try bench.run(until: { bench.client.received == Array("greeting".utf8) }))
        #expect(bench.client.send("question".utf8) == 8)
        #expect(try bench.run(until: { bench.app.received == Self.preamble + Array("question".utf8) }))
        #expect(bench.duplex.bytesToUpstream == UInt64(Self.preamble.count + 8))
    }

    @Test func aPreambleAndWhatCameBeforeTheStartGoTogether() throws {
        let bench = try DuplexBench()
        #expect(bench.client.send("early".utf8) == 5)
        bench.client.finishSending()
        for _ in 0..<3 { bench.loop.runOnce() }
        bench.duplex.start(with: Self.preamble.span)
        // Without another turn of the loop.
        bench.app.read()
        #expect(bench.app.received == Self.preamble + Array("early".utf8))
        #expect(try bench.run(until: { bench.app.end == 0 }))
        #expect(bench.duplex.isHalfClosed)
    }

    @Test func aPreambleGoesToAnAppWhoseClientHasEndedWithoutAWord() throws {
        let bench = try DuplexBench()
        bench.client.finishSending()
        for _ in 0..<3 { bench.loop.runOnce() }
        bench.duplex.start(with: Self.preamble.span)
        #expect(try bench.run(until: { bench.app.received == Self.preamble && bench.app.end == 0 }))
    }

    @Test func aPreambleThatTheAppDoesNotTakeWaitsWithWhatFollows() throws {
        let bench = try DuplexBench()
        let preamble = [UInt8](repeating: 7, count: 8 << 20)
        #expect(bench.client.send("question".utf8) == 8)
        for _ in 0..<3 { bench.loop.runOnce() }
        bench.duplex.start(with: preamble.span)
        #expect(bench.workspace.parkedBytes > 0)
        #expect(try bench.run(until: { bench.app.received.count == preamble.count + 8 }))
        #expect(bench.app.received == preamble + Array("question".utf8))
    }

    @Test func aPreambleToAnAppThatHasResetResetsTheClient() throws {
        let bench = try DuplexBench()
        bench.app.reset()
        bench.duplex.start(with: Self.preamble.span)
        #expect(try bench.run(until: { bench.end.value != nil }))
        #expect(bench.end.value == .upstreamFailed(.system(ECONNRESET)))
        #expect(try bench.run(until: { bench.client.end == ECONNRESET }))
    }

    @Test func aPreambleComesBeforeTheLastWordsOfAClientThatCannotBeRead() throws {
        let bench = try DuplexBench(through: LayerThatFailsOnce())
        #expect(bench.client.send("PROXY a client's own".utf8) == 20)
        for _ in 0..<3 { bench.loop.runOnce() }
        bench.duplex.start(with: Self.preamble.span)
        #expect(try bench.run(until: { bench.end.value != nil }))
        #expect(bench.end.value == .downstreamFailed(.system(ENOMEM)))
        #expect(try bench.run(until: { bench.app.end == ECONNRESET && bench.client.end == ECONNRESET }))
        #expect(bench.app.received == Self.preamble + Array("PROXY a client's own".utf8))
    }
}

/// Fails at its first receive, as the kernel does where it has no memory, and passes everything on from then on.
private final class LayerThatFailsOnce: SocketLayer {
    private var hasFailed = false

    override func receive(into buffer: UnsafeMutableRawBufferPointer, peek: Bool, from socket: CInt)
        -> Socket.TransferResult
    {
        guard hasFailed else {
            hasFailed = true
            return .failed(.system(ENOMEM))
        }
        let count = recv(socket, buffer.baseAddress, buffer.count, peek ? CInt(MSG_PEEK) : 0)
        if count > 0 { return .moved(count) }
        return count == 0 ? .endOfStream : errno == EAGAIN ? .wouldBlock : .failed(.system(errno))
    }
}

import CLinux
import COpenSSL
import EventLoop
import Glibc
import Network
import Relay
import TLS
import TestSupport
import Testing

/// Bytes that a channel has no memory to keep end its connection, and no other.
@Suite struct PendingBytesTests {
    let authority = TestAuthority()

    /// The client's first record comes in pieces.
    @Test(arguments: 0..<3) func aFirstRecordThatCannotBeKeptEndsTheHandshake(granted: Int) throws {
        let context = try authority.context()
        let (one, other) = try Peer.sockets()
        let client = one.take()!
        let channel = TLSChannel(in: TLSWorkspace())
        let server = other.take()!.through(channel)
        // The beginning of a record of 512 bytes.
        let record: [UInt8] = [22, 3, 1, 2, 0] + [UInt8](repeating: 1, count: 200)
        clinux_grant_blocks(granted)
        defer { clinux_grant_blocks(-1) }
        var outcomes: [TLSChannel.Handshake] = []
        for byte in record[..<3] {
            #expect(withUnsafeBytes(of: byte) { client.send($0) } == .moved(1))
            // On loopback what is sent is there.
            outcomes.append(channel.handshake(on: server, with: context))
        }
        for (index, outcome) in outcomes.enumerated() {
            switch outcome {
            case .waiting: #expect(index < granted)
            case .failed(.outOfMemory): #expect(index == granted)
            case .failed(let fault): #expect(index > granted && fault == .broken(.violation))
            case .done: Issue.record("done")
            }
        }
    }

    /// The client reads nothing, so that what was encrypted would have to wait.
    @Test func whatCannotBeKeptForTheClientEndsTheConnection() throws {
        let context = try authority.context()
        let bench = try Bench(context)
        #expect(try bench.connect())
        clinux_grant_blocks(0)
        defer { clinux_grant_blocks(-1) }
        let chunk = [UInt8](repeating: 1, count: 64 << 10)
        #expect(
            try bench.run(
                reading: false,
                until: {
                    if bench.end == nil { _ = bench.app.send(chunk) }
                    return bench.app.end != nil
                }))
        clinux_grant_blocks(-1)
        #expect(try bench.run(until: { bench.end != nil && bench.client.end != nil }))
        #expect(bench.end == .downstreamFailed(.outOfMemory))
        // No proper end behind a part.
        #expect(bench.client.end != 0)
        let next = try Bench(context)
        #expect(try next.connect())
    }
}

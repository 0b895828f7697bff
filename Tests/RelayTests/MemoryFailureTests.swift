import CLinux
import EventLoop
import Glibc
import Network
import Relay
import TestSupport
import Testing

/// Bytes that there is no memory to keep end their connection, and no other.
@Suite struct MemoryFailureTests {
    @Test func aConnectionWhoseBytesCannotBeParkedIsReset() throws {
        let loop = try EventLoop()
        let workspace = RelayWorkspace(on: loop, pipes: 0)
        let bench = try DuplexBench(on: loop, in: workspace)
        let (client, app) = (bench.client, bench.app)
        bench.duplex.start()
        clinux_grant_blocks(0)
        defer { clinux_grant_blocks(-1) }
        let chunk = [UInt8](repeating: 1, count: 64 << 10)
        // The app reads nothing.
        #expect(
            try loop.run(until: {
                if bench.end.value == nil { _ = client.send(chunk) }
                return bench.duplex.isHalfClosed
            }))
        #expect(
            try loop.run(until: {
                client.read()
                app.read()
                return bench.end.value != nil && client.end != nil && app.end != nil
            }))
        #expect(bench.end.value == .upstreamFailed(.outOfMemory))
        // The client may have met its reset when it sent.
        #expect(app.end == ECONNRESET)
        #expect(workspace.parkedBytes == 0)
        clinux_grant_blocks(-1)
        try nextOneIsServed(in: workspace, on: loop)
    }

    private func nextOneIsServed(in workspace: RelayWorkspace, on loop: EventLoop) throws {
        let bench = try DuplexBench(on: loop, in: workspace)
        bench.duplex.start()
        #expect(bench.client.send("hello".utf8) == 5)
        #expect(
            try loop.run(until: {
                bench.app.read()
                return bench.app.received == Array("hello".utf8)
            }))
        bench.duplex.abort()
    }
}

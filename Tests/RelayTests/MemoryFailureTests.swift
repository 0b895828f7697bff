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
        let (duplex, client, app) = try relay(in: workspace, on: loop)
        var end: Duplex.End?
        duplex.onEnd = { end = $0 }
        duplex.start()
        clinux_grant_blocks(0)
        defer { clinux_grant_blocks(-1) }
        let chunk = [UInt8](repeating: 1, count: 64 << 10)
        // The app reads nothing.
        #expect(
            try loop.run(until: {
                if end == nil { _ = client.send(chunk) }
                return duplex.isHalfClosed
            }))
        #expect(
            try loop.run(until: {
                client.read()
                app.read()
                return end != nil && client.end != nil && app.end != nil
            }))
        #expect(end == .upstreamFailed(.outOfMemory))
        // The client may have met its reset when it sent.
        #expect(app.end == ECONNRESET)
        #expect(workspace.parkedBytes == 0)
        clinux_grant_blocks(-1)
        try nextOneIsServed(in: workspace, on: loop)
    }

    /// A relay that alone has its sockets.
    private func relay(in workspace: RelayWorkspace, on loop: EventLoop) throws -> (Duplex, client: Peer, app: Peer) {
        let (client, downstream) = try Peer.watched(on: loop)
        let (app, upstream) = try Peer.watched(on: loop)
        return (Duplex(downstream: downstream, upstream: upstream, in: workspace), client, app)
    }

    private func nextOneIsServed(in workspace: RelayWorkspace, on loop: EventLoop) throws {
        let (duplex, client, app) = try relay(in: workspace, on: loop)
        duplex.start()
        #expect(client.send("hello".utf8) == 5)
        #expect(
            try loop.run(until: {
                app.read()
                return app.received == Array("hello".utf8)
            }))
        duplex.abort()
    }
}

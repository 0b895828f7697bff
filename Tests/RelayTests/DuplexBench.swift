import EventLoop
import Network
import Relay
import TestSupport

/// A relay with a client at one end and an app at the other.
struct DuplexBench {
    let loop: EventLoop
    let workspace: RelayWorkspace
    let client: Peer
    let app: Peer
    let duplex: Duplex
    let end = End()

    /// How the relay ended, for the test to look at.
    final class End {
        var value: Duplex.End?
    }

    init(
        on loop: EventLoop? = nil, in workspace: RelayWorkspace? = nil, parkingLimit: Int = 1 << 20, pipes: Int = 8,
        through layer: SocketLayer? = nil
    ) throws {
        self.loop = try loop ?? EventLoop()
        self.workspace = workspace ?? RelayWorkspace(on: self.loop, parkingLimit: parkingLimit, pipes: pipes)
        let (client, downstream) = try Peer.watched(on: self.loop, through: layer)
        let (app, upstream) = try Peer.watched(on: self.loop)
        self.client = client
        self.app = app
        duplex = Duplex(downstream: downstream, upstream: upstream, in: self.workspace)
        duplex.onEnd = { [end] in end.value = $0 }
    }

    /// Runs until the condition holds; both peers take in what arrives meanwhile.
    func run(until condition: @escaping () -> Bool) throws -> Bool {
        try loop.run(until: {
            client.read()
            app.read()
            return condition()
        })
    }
}

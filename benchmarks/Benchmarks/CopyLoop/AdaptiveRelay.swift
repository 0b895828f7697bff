import EventLoop
import Network
import Relay

/// The product's relay, as a worker runs it.
final class AdaptiveRelay: RelayUnderTest {
    private let loop: EventLoop
    private let workspace: RelayWorkspace
    private var duplexes: [Duplex] = []
    private var running: Int

    init(_ streams: [Stream]) throws {
        loop = try EventLoop()
        workspace = RelayWorkspace(on: loop)
        running = streams.count
        for stream in streams {
            let duplex = Duplex(
                downstream: try WatchedSocket(Socket(owning: Descriptor(owning: stream.downstream)), on: loop),
                upstream: try WatchedSocket(Socket(owning: Descriptor(owning: stream.upstream)), on: loop),
                in: workspace)
            duplex.onEnd = { [unowned self] end in
                precondition(end == .finished, "a stream has ended with \(end)")
                running -= 1
                if running == 0 { loop.stop() }
            }
            duplexes.append(duplex)
        }
    }

    func run() {
        for duplex in duplexes { duplex.start() }
        if running > 0 { loop.run() }
    }
}

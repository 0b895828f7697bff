import EventLoop
import Network
import Upstream

/// The connectors of one route in several workers, which in these tests are all on the test's own loop.
final class Route {
    let connectors: [Connector]
    let coordinator: HoldCoordinator
    private let events: [IOEvent]

    init(
        to candidates: [SocketAddress], workers: Int = 1, hold: Duration = .seconds(30),
        connectTimeout: Duration = .seconds(1), source: LoopbackSources.Policy = .kernelsChoice, on loop: EventLoop
    ) throws {
        let mailboxes = try (0..<workers).map { _ in try Mailbox<HoldCoordinator.News>() }
        let coordinator = HoldCoordinator { worker, news in mailboxes[worker].post(news) }
        let troubles = SourceTrouble.Register()
        let connectors = try (0..<workers).map { worker in
            try Connector(
                to: candidates, limits: Connector.Limits(hold: hold, connectTimeout: connectTimeout),
                hold: coordinator, worker: worker, sources: LoopbackSources(source, troubles: troubles), on: loop)
        }
        events = try zip(mailboxes, connectors).map { mailbox, connector in
            try mailbox.open(on: loop) { connector.receive($0) }
        }
        self.connectors = connectors
        self.coordinator = coordinator
    }

    subscript(worker: Int) -> Connector { connectors[worker] }
}

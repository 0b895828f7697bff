internal import Access
internal import Configuration
internal import EventLoop
internal import Network
internal import Relay
internal import TLS

/// One client's connection to a route, from being accepted to its end: what the worker knows of it, whatever is spoken.
///
/// Belongs to its worker's thread, and is retained by the worker until it has ended.
class Session {
    let client: SocketAddress
    let route: WorkerRoute
    /// Lets go of the session when that has ended.
    let worker: Worker
    /// When the client was accepted.
    var started = MonotonicTime.coarse
    /// What a proxy has said of the connection; nil where none has.
    var receivedHeader: ReceivedProxyHeader?
    /// Where its client's connections are counted: this one's place, until the session has ended.
    var clientPlace: ClientPermit?
    /// What the client's bytes go through, or will once it is agreed on; nil where they come as they are.
    var tls: TLSChannel?
    /// Where the worker keeps the session in its list.
    var index = 0

    init(_ client: SocketAddress, on route: WorkerRoute, of worker: Worker) {
        self.client = client
        self.route = route
        self.worker = worker
    }

    /// The bytes that the app's and the client's kernels have taken since the start.
    var bytesMoved: (toApp: UInt64, toClient: UInt64) { (0, 0) }

    /// Whether it has a connection to the app at present.
    var usesApp: Bool { false }

    /// Whether it keeps a connection to the app for its next request.
    var keepsApp: Bool { false }

    /// Takes the client's connection over; may end the session before it returns.
    func start(with socket: WatchedSocket) {}

    /// Bounds what the kernel holds for its connections; see ``Socket/boundBuffers(to:)``.
    func boundBuffers(to bytes: Int?) {}

    /// Resets both sides. Does nothing once the session has ended.
    func abort(_ reason: SessionEnd) {}

    /// No more clients are to come here: ends as soon as nothing is under way any more, maybe before it returns.
    func drain() {}

    /// Ends the session if nothing has moved for too long, as far as the loop has heard.
    func checkTimeouts(_ hearing: Hearing) {}
}

extension Session {
    /// Why a relay is to end on which nothing moves; nil where it is not.
    func silenceEnd(of duplex: Duplex, _ hearing: Hearing) -> SessionEnd? {
        let (isHalfClosed, configuration) = (duplex.isHalfClosed, route.configuration)
        let limit =
            isHalfClosed ? min(configuration.halfCloseTimeout, configuration.idleTimeout) : configuration.idleTimeout
        let silence = hearing.silence(since: duplex.lastActivity)
        // What a slow peer's kernel takes is seen only by asking, and that takes two answers.
        guard silence >= limit / 2, !duplex.isStillDelivering(), silence >= limit else { return nil }
        return isHalfClosed && silence >= configuration.halfCloseTimeout ? .halfCloseTimeout : .idleTimeout
    }
}

internal import Access
internal import Configuration
internal import EventLoop
internal import Network
internal import Relay
internal import TLS

/// One stage of a client's connection, or its last one, in which the route's protocol is spoken. The worker keeps it from its
/// start to its end (``SessionTable``), and asks it for all of this.
///
/// Every requirement is to be met by each kind of session: none has an implementation that would do nothing in its stead.
/// Belongs to its worker's thread, and is retained by the worker until it has ended.
protocol Session: AnyObject {
    /// The client's connection, which the session owns. ``SessionTable/end(_:bytesMoved:)`` and the next stage take it away.
    var connection: ClientConnection { get set }

    /// The session's position in the worker's ``SessionTable``, which alone changes it.
    var index: Int { get set }

    /// The bytes that the app's and the client's kernels have taken since the start.
    var bytesMoved: (toApp: UInt64, toClient: UInt64) { get }

    /// Whether it uses a connection to the app at present.
    var usesApp: Bool { get }

    /// Whether it keeps a connection to the app for its next request.
    var keepsApp: Bool { get }

    /// Begins with what the connection's socket is ready for already; may end the session before it returns.
    func start()

    /// Bounds what the kernel holds for its connections; see ``Socket/boundBuffers(to:)``.
    func boundBuffers(to bytes: Int?)

    /// Resets both sides. Does nothing once the session has ended.
    func abort(_ reason: SessionEnd)

    /// No more clients are to come here: ends as soon as nothing is under way any more, maybe before it returns.
    func drain()

    /// Ends the session if nothing has moved for too long, as far as the loop has heard.
    func checkTimeouts(_ hearing: Hearing)
}

/// What is said of a session's connection in short.
extension Session {
    /// See ``ClientConnection/client``.
    var client: SocketAddress { connection.client }

    var route: WorkerRoute { connection.route }

    /// What the worker's sessions have in common.
    var worker: WorkerContext { connection.route.worker }

    /// When the client was accepted.
    var started: MonotonicTime { connection.started }

    /// See ``ClientConnection/socket``.
    var socket: WatchedSocket? {
        get { connection.socket }
        set { connection.socket = newValue }
    }

    /// See ``ClientConnection/tls``.
    var tls: TLSChannel? { connection.tls }
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

internal import Access
internal import Configuration
internal import EventLoop
internal import Network
internal import Relay
internal import TLS

/// One stage of a client's connection; the last stage speaks the route's protocol. The worker keeps it from its
/// start to its end (``SessionTable``).
///
/// Each kind of session meets every requirement by itself: a default that does nothing would hide a forgotten one.
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

    /// Ends the session as soon as nothing is under way any more, because no more clients are to come; maybe before this
    /// returns.
    func drain()

    /// Ends the session if nothing has moved for too long.
    func checkTimeouts(_ hearing: Hearing)
}

/// The properties of a session's connection.
extension Session {
    /// See ``ClientConnection/client``.
    var client: SocketAddress { connection.client }

    var route: WorkerRoute { connection.route }

    /// The context of the session's worker.
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
    /// Returns the reason to end a relay on which nothing moves; nil where it may go on.
    func silenceEnd(of duplex: Duplex, _ hearing: Hearing) -> SessionEnd? {
        let (isHalfClosed, configuration) = (duplex.isHalfClosed, route.configuration)
        let limit =
            isHalfClosed ? min(configuration.halfCloseTimeout, configuration.idleTimeout) : configuration.idleTimeout
        let last = duplex.lastActivity
        guard hearing.hasFallenSilent(since: last, for: limit, unless: duplex.isStillDelivering) else { return nil }
        return isHalfClosed && hearing.silence(since: last) >= configuration.halfCloseTimeout
            ? .halfCloseTimeout : .idleTimeout
    }
}

internal import Access
internal import EventLoop
internal import Network
internal import ProxyProtocol
internal import TLS

/// One client's connection: the socket, all that is known of the client, and its permit.
///
/// It has one owner at a time, the session of the stage that it has come to (``ClientPipeline``), and is handed on whole
/// (``handOn()``). Belongs to its worker's thread.
struct ClientConnection: ~Copyable {
    let route: WorkerRoute
    /// The client's address: the one that a PROXY header has named, or else the peer's.
    private(set) var client: SocketAddress
    /// When the client was accepted.
    let started: MonotonicTime
    /// The client's socket; nil once a relay has taken it over, or it was handed on or closed.
    var socket: WatchedSocket?
    /// The PROXY header that a trusted proxy has sent; nil where none has.
    private(set) var receivedHeader: ReceivedProxyHeader?
    /// The layer that the client's bytes go through, or will once TLS is agreed on; nil where they come as they are.
    let tls: TLSChannel?
    /// The client's permit; nil once the connection has ended or was handed on. Declared behind the socket, so that the socket is
    /// closed before there is room again.
    private var permit: ConnectionPermit?
    /// A PROXY header is still to come.
    private(set) var awaitsProxyHeader: Bool
    /// TLS is still to be agreed on.
    private(set) var awaitsTLS: Bool

    /// Watches the socket of a client that was accepted.
    /// - Throws: ``SystemError`` when the kernel refuses to watch it; the client is reset then.
    init(
        _ socket: consuming Socket, from client: SocketAddress, permit: consuming ConnectionPermit,
        awaitsProxyHeader: Bool
    ) throws(SystemError) {
        let route = permit.route
        let loop = route.worker.loop
        let tls = route.shared.tls.map { _ in TLSChannel(in: route.worker.tlsWorkspace) }
        if let tls {
            self.socket = try WatchedSocket(socket.through(tls), on: loop)
        } else {
            self.socket = try WatchedSocket(socket, on: loop)
        }
        self.route = route
        self.client = client
        self.tls = tls
        self.permit = consume permit
        self.awaitsProxyHeader = awaitsProxyHeader
        awaitsTLS = tls != nil
        started = .coarse
    }

    private init(takingFrom former: inout ClientConnection) {
        route = former.route
        client = former.client
        started = former.started
        socket = former.socket
        receivedHeader = former.receivedHeader
        tls = former.tls
        permit = former.permit.take()
        awaitsProxyHeader = former.awaitsProxyHeader
        awaitsTLS = former.awaitsTLS
        former.socket = nil
    }

    /// Gives everything to another owner. The facts about the client stay readable here.
    mutating func handOn() -> ClientConnection {
        socket?.onReady = nil
        return ClientConnection(takingFrom: &self)
    }

    /// Lets in the client that a PROXY header names, or the proxy itself where the header names none.
    mutating func admit(namedBy header: ProxyHeader) throws(ClientRefusal) {
        let named = header.endpoints?.source ?? client
        try permit?.admit(named)
        client = named
        receivedHeader = ReceivedProxyHeader(header)
        awaitsProxyHeader = false
    }

    /// Notes that TLS is agreed on.
    mutating func noteTLS() { awaitsTLS = false }

    /// Closes the socket and gives the permit back.
    mutating func end() {
        socket?.onReady = nil
        socket = nil
        permit = nil
    }
}

/// The PROXY header that a connection began with, in a box so that connections without one do not pay for it.
final class ReceivedProxyHeader {
    let header: ProxyHeader

    init(_ header: ProxyHeader) {
        self.header = header
    }
}

internal import Access
internal import EventLoop
internal import Network
internal import ProxyProtocol
internal import TLS

/// One client's connection: the socket, all that is known of the client, and what is held for it.
///
/// It has one owner at a time, the session of the stage that it has come to, and is handed on whole (``handOn()``). Belongs to
/// its worker's thread.
struct ClientConnection: ~Copyable {
    let route: WorkerRoute
    let worker: Worker
    /// The client's address: the one that a PROXY header has named, or else the peer's.
    private(set) var client: SocketAddress
    /// When the client was accepted.
    let started: MonotonicTime
    /// Nil once a relay has taken it over, or it was handed on or closed.
    var socket: WatchedSocket?
    /// The PROXY header that a trusted proxy has sent; nil where none has.
    private(set) var receivedHeader: ReceivedProxyHeader?
    /// The layer that the client's bytes go through, or will once TLS is agreed on; nil where they come as they are.
    let tls: TLSChannel?
    /// The connection's share of what its client may have at a time.
    private var place: ClientPermit?
    /// A PROXY header is still to come.
    private(set) var awaitsProxyHeader: Bool
    /// TLS is still to be agreed on.
    private(set) var awaitsTLS: Bool

    /// - Parameter place: what the client has to hold as long as it is connected, if anything.
    init(
        _ socket: WatchedSocket, from client: SocketAddress, on route: WorkerRoute, of worker: Worker,
        through tls: TLSChannel?, holding place: ClientPermit?, awaitsProxyHeader: Bool
    ) {
        self.socket = socket
        self.client = client
        self.route = route
        self.worker = worker
        self.tls = tls
        self.place = place
        self.awaitsProxyHeader = awaitsProxyHeader
        awaitsTLS = tls != nil
        started = .coarse
    }

    private init(takingFrom former: inout ClientConnection) {
        route = former.route
        worker = former.worker
        client = former.client
        started = former.started
        socket = former.socket
        receivedHeader = former.receivedHeader
        tls = former.tls
        place = former.place
        awaitsProxyHeader = former.awaitsProxyHeader
        awaitsTLS = former.awaitsTLS
        former.socket = nil
        former.place = nil
    }

    /// Gives everything to another owner. What is known of the client stays readable here.
    mutating func handOn() -> ClientConnection {
        socket?.onReady = nil
        return ClientConnection(takingFrom: &self)
    }

    /// Notes the PROXY header that has come; from now on the client is the one that it names, if it names any.
    /// - Parameter place: as for ``init(_:from:on:of:through:holding:awaitsProxyHeader:)``, of the client that is named.
    mutating func note(_ header: ProxyHeader, holding place: ClientPermit?) {
        awaitsProxyHeader = false
        receivedHeader = ReceivedProxyHeader(header)
        if let named = header.endpoints?.source { client = named }
        self.place = place
    }

    /// Notes that TLS is agreed on.
    mutating func noteTLS() { awaitsTLS = false }

    /// Closes the socket and gives back what was held for the client.
    mutating func end() {
        socket?.onReady = nil
        socket = nil
        place = nil
    }
}

/// The PROXY header with which a connection has begun, out of the way of all those that have none.
final class ReceivedProxyHeader {
    let header: ProxyHeader

    init(_ header: ProxyHeader) {
        self.header = header
    }
}

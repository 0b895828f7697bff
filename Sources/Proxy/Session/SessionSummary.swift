internal import Access
internal import EventLoop
internal import Network
internal import Observability
internal import ProxyProtocol

/// The end of a session.
enum SessionEnd: Equatable {
    case finished
    /// The client was not let in.
    case refused(ClientRefusal)
    /// The client's connection failed; the app saw a reset.
    case clientFailed(SocketFailure)
    /// The app's connection failed; the client saw a reset.
    case appFailed(SocketFailure)
    case idleTimeout
    case halfCloseTimeout
    case appNotListening
    case appBusy
    case connectFailed(SystemError)
    /// The app had all the connections that it may have, and the queue was full.
    case queueFull
    /// The client's turn did not come in time.
    case queueTimeout
    /// The client ended before its turn came, or before it had sent a whole request.
    case clientLeft
    /// The client has sent an invalid request.
    case invalidRequest
    /// The client has sent no name and password.
    case unauthorized
    /// The client has sent a wrong name or password.
    case wrongPassword
    /// The client's password could not be checked.
    case passwordsBusy
    /// The client did not finish a request's head in time.
    case headTimeout
    /// The client did not go on with a request's body in time.
    case bodyTimeout
    /// The app did not respond in time.
    case answerTimeout
    /// The app ended its connection before its response began.
    case noAnswer
    /// The app has sent an invalid response.
    case invalidAnswer
    /// The app ended its connection in the middle of a response; the client saw a reset.
    case answerCutOff
    /// A trusted proxy has sent an invalid PROXY header.
    case invalidProxyHeader(ProxyHeader.Fault)
    /// A trusted proxy did not finish its PROXY header in time.
    case proxyHeaderTimeout
    /// The TLS handshake failed, for this reason.
    case tlsHandshakeFailed(String)
    /// The client did not finish the TLS handshake in time.
    case tlsHandshakeTimeout
    /// The client's certificate was missing or refused, for this reason.
    case clientCertificateRefused(String)
    /// The route was removed, and the session did not end in time.
    case routeRemoved
    /// loopbridge was stopped before the session was over.
    case drained

    /// The words for the log.
    var explanation: String {
        switch self {
        case .finished: "finished"
        case .refused(let refusal): refusal.explanation
        case .clientFailed(.cutOff): "client: TLS was cut off"
        case .clientFailed(let failure): "client: \(failure.reason)"
        case .appFailed(let failure): "app: \(failure.reason)"
        case .idleTimeout: "idle timeout"
        case .halfCloseTimeout: "half-close timeout"
        case .appNotListening: "the app is not listening"
        case .appBusy: "the app takes no connections"
        case .connectFailed(let error): "cannot connect to the app: \(error.reason)"
        case .queueFull: "the queue for the app is full"
        case .queueTimeout: "waited too long in the queue for the app"
        case .clientLeft: "the client left"
        case .invalidRequest: "invalid request"
        case .unauthorized: "no password"
        case .wrongPassword: "wrong password"
        case .passwordsBusy: "passwords cannot be checked"
        case .headTimeout: "head timeout"
        case .bodyTimeout: "body timeout"
        case .answerTimeout: "the app did not answer in time"
        case .noAnswer: "the app ended the connection without an answer"
        case .invalidAnswer: "invalid answer from the app"
        case .answerCutOff: "the app ended the connection in its answer"
        case .invalidProxyHeader(let fault): "invalid PROXY header: \(fault.explanation)"
        case .proxyHeaderTimeout: "PROXY header timeout"
        case .tlsHandshakeFailed(let reason): "TLS handshake failed: \(reason)"
        case .tlsHandshakeTimeout: "TLS handshake timeout"
        case .clientCertificateRefused(let reason): "client certificate refused: \(reason)"
        case .routeRemoved: "the route was removed"
        case .drained: "stopped"
        }
    }
}

/// A session's line in the access log.
struct SessionSummary {
    let client: SocketAddress
    /// The client's process, where the client has no address.
    var peer: PeerCredentials?
    let route: String
    /// The address that took the connection, if any did.
    let upstream: SocketAddress?
    /// The address that the app saw the connection come from; nil where it says nothing about the client.
    let source: SocketAddress?
    let bytesToApp: UInt64
    let bytesToClient: UInt64
    let duration: Duration
    let end: SessionEnd

    func write(to log: Log) {
        log.part(.access).info(
            "closed",
            [
                "client": .text(client.description), "peer_pid": peer.map { .number(Int($0.process)) } ?? .nothing,
                "peer_uid": peer.map { .number(Int($0.user)) } ?? .nothing, "route": .text(route),
                "upstream": .text(upstream?.description ?? "-"),
                "source": source.map { .text($0.description) } ?? .nothing, "to_app": .number(Int(bytesToApp)),
                "to_client": .number(Int(bytesToClient)), "ms": .number(Int(duration / .milliseconds(1))),
                "end": .text(end.explanation),
            ])
    }
}

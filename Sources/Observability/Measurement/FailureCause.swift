/// Why a connection, or with HTTP a request, did not end well, or with UDP a datagram was dropped. Its raw value is the `cause` of
/// metrics and status: an interface.
public enum FailureCause: String, CaseIterable, Sendable, Codable {
    case clientDenied = "client_denied"
    case clientConnectionLimit = "client_connection_limit"
    case clientRateLimit = "client_rate_limit"
    case memoryShort = "memory_short"
    case clientFailed = "client_failed"
    case clientLeft = "client_left"
    case appFailed = "app_failed"
    case appNotListening = "app_not_listening"
    case appBusy = "app_busy"
    case connectFailed = "connect_failed"
    case queueFull = "queue_full"
    case queueTimeout = "queue_timeout"
    case idleTimeout = "idle_timeout"
    case halfCloseTimeout = "half_close_timeout"
    case invalidRequest = "invalid_request"
    case unauthorized = "unauthorized"
    case wrongPassword = "wrong_password"
    case passwordsBusy = "passwords_busy"
    case headTimeout = "head_timeout"
    case bodyTimeout = "body_timeout"
    case answerTimeout = "answer_timeout"
    case noAnswer = "no_answer"
    case invalidAnswer = "invalid_answer"
    case answerCutOff = "answer_cut_off"
    case invalidProxyHeader = "invalid_proxy_header"
    case proxyHeaderTimeout = "proxy_header_timeout"
    case tlsHandshakeFailed = "tls_handshake_failed"
    case tlsHandshakeTimeout = "tls_handshake_timeout"
    case clientCertificateRefused = "client_certificate_refused"
    case routeRemoved = "route_removed"
    case drained = "drained"
    case flowLimit = "flow_limit"
    case draining = "draining"
    case datagramCutOff = "datagram_cut_off"
    case receiveBufferFull = "receive_buffer_full"
    case unsentToApp = "unsent_to_app"
    case unsentToClient = "unsent_to_client"

    /// The event, and where to look: one sentence for people.
    public var explanation: String {
        switch self {
        case .clientDenied:
            "The client's address may not come in (allow, deny): it was reset, or in a flood ignored, before it was heard."
        case .clientConnectionLimit:
            "The client had all the connections that one client may have (per_client.max_connections), and was reset."
        case .clientRateLimit: "The client made new connections too fast (per_client.rate), and was reset."
        case .memoryShort:
            "There was no memory left for the client (the container's limit, or the process's), and it was reset."
        case .clientFailed: "The client's connection broke: it was reset, or the way to the client failed."
        case .clientLeft: "The client went away before it had said all, or before its turn came."
        case .appFailed: "The app's connection broke: the app reset it, crashed, or was killed."
        case .appNotListening:
            "Nobody listened at the app's address: for as long as a client may wait (hold), or when a datagram came."
        case .appBusy: "The app listens, but took no connection in time: it hangs, or its backlog is full."
        case .connectFailed: "The system did not allow a connection to the app; the log has its reason."
        case .queueFull:
            "The app had all the connections that it may have (upstream_connections), and the queue was full."
        case .queueTimeout: "The client's turn did not come in time (queue_timeout): the app is too slow for its load."
        case .idleTimeout: "No byte moved either way for too long (idle_timeout)."
        case .halfCloseTimeout: "One side had finished, and the other was silent for too long (half_close_timeout)."
        case .invalidRequest: "The client has sent what is no valid HTTP request; the log names it."
        case .unauthorized: "A request without a name and a password was answered with 401 (basic_auth)."
        case .wrongPassword: "A request with a wrong name or password was answered with 401 (basic_auth)."
        case .passwordsBusy:
            "Too many passwords wait to be checked, or there is no file of passwords (basic_auth); the log has its reason."
        case .headTimeout: "The client did not finish the head of a request in time (head_timeout)."
        case .bodyTimeout: "The client stopped in the middle of a request's body (body_timeout)."
        case .answerTimeout: "The app did not answer in time (response_timeout)."
        case .noAnswer: "The app closed the connection without an answer."
        case .invalidAnswer: "The app's answer was no valid HTTP."
        case .answerCutOff: "The app closed the connection in the middle of its answer."
        case .invalidProxyHeader:
            "A trusted proxy has sent what is no PROXY header (proxy_protocol); the log has its address."
        case .proxyHeaderTimeout: "A trusted proxy did not finish its PROXY header in time (header_timeout)."
        case .tlsHandshakeFailed:
            "The client left before TLS was agreed on, does not speak it, or only versions and ciphers that are refused."
        case .tlsHandshakeTimeout: "The client did not finish the TLS handshake in time (handshake_timeout)."
        case .clientCertificateRefused: "The client had no certificate that client_ca vouches for."
        case .routeRemoved: "The route was removed from the configuration, and the connection outlived the drain time."
        case .drained: "loopbridge was stopped, and the connection outlived the drain time."
        case .flowLimit:
            "A new client's datagram was dropped: there were as many flows as there may be (max_connections)."
        case .draining: "A new client's datagram was dropped while loopbridge was being stopped, or the route removed."
        case .datagramCutOff: "A datagram was longer than any can be that IP carries, and was dropped."
        case .receiveBufferFull:
            "Datagrams came faster than they could be carried on, and the kernel dropped them: it allows little room for "
                + "them (net.core.rmem_max), or the processor is busy."
        case .unsentToApp:
            "The system did not take a datagram to the app: its buffer was full, or the datagram too long for the way."
        case .unsentToClient:
            "The system did not take a datagram to the client: its buffer was full, it was too long for the way, or there "
                + "was no way."
        }
    }
}

internal import Access
internal import Observability

extension SessionEnd {
    /// The cause that it is counted under; nil for a good end.
    var cause: FailureCause? {
        switch self {
        case .finished: nil
        case .refused(.denied): .clientDenied
        case .refused(.tooFast): .clientRateLimit
        case .refused(.tooManyConnections): .clientConnectionLimit
        case .refused(.memoryShort): .memoryShort
        case .clientFailed: .clientFailed
        case .appFailed: .appFailed
        case .idleTimeout: .idleTimeout
        case .halfCloseTimeout: .halfCloseTimeout
        case .appNotListening: .appNotListening
        case .appBusy: .appBusy
        case .connectFailed: .connectFailed
        case .queueFull: .queueFull
        case .queueTimeout: .queueTimeout
        case .clientLeft: .clientLeft
        case .invalidRequest: .invalidRequest
        case .unauthorized: .unauthorized
        case .wrongPassword: .wrongPassword
        case .passwordsBusy: .passwordsBusy
        case .headTimeout: .headTimeout
        case .bodyTimeout: .bodyTimeout
        case .answerTimeout: .answerTimeout
        case .noAnswer: .noAnswer
        case .invalidAnswer: .invalidAnswer
        case .answerCutOff: .answerCutOff
        case .invalidProxyHeader: .invalidProxyHeader
        case .proxyHeaderTimeout: .proxyHeaderTimeout
        case .tlsHandshakeFailed: .tlsHandshakeFailed
        case .tlsHandshakeTimeout: .tlsHandshakeTimeout
        case .clientCertificateRefused: .clientCertificateRefused
        case .routeRemoved: .routeRemoved
        case .drained: .drained
        }
    }
}

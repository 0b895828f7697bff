internal import Access
internal import EventLoop
internal import HTTP1
internal import Network

/// A reason for a response of our own in the app's stead.
enum Refusal: Equatable, Sendable {
    case invalidHead(RequestFault)
    case headTimeout
    /// There is no name and no password in the request.
    case unauthorized
    case wrongPassword
    /// There is no file of passwords.
    case passwordsUnknown
    case tooManyPasswords
    case passwordTimeout
    case appNotListening
    case appBusy
    case queueFull
    case queueTimeout
    /// The system does not let us connect, for this errno.
    case connectFailed(CInt)
    case invalidRequestBody
    case requestCutOff
    case bodyTimeout
    /// The app has ended its connection before its response, or in the middle of the head.
    case noResponse
    case invalidResponse(Exchange.ResponseProblem)
    case responseTimeout

    var end: SessionEnd {
        switch self {
        case .invalidHead, .invalidRequestBody: .invalidRequest
        case .headTimeout: .headTimeout
        case .unauthorized: .unauthorized
        case .wrongPassword: .wrongPassword
        case .passwordsUnknown, .tooManyPasswords, .passwordTimeout: .passwordsBusy
        case .appNotListening: .appNotListening
        case .appBusy: .appBusy
        case .queueFull: .queueFull
        case .queueTimeout: .queueTimeout
        case .connectFailed(let code): .connectFailed(SystemError("connect", code: code))
        case .requestCutOff: .clientLeft
        case .bodyTimeout: .bodyTimeout
        case .noResponse: .noAnswer
        case .invalidResponse: .invalidAnswer
        case .responseTimeout: .answerTimeout
        }
    }
}

extension Exchange {
    /// The reason why an exchange has ended, or is about to.
    enum Cause: Equatable, Sendable {
        /// The client has all of the app's response.
        case finished
        /// The client has a response of ours.
        case refused(Refusal)
        case clientLeft
        /// The client's connection has failed.
        case clientFailed(SocketFailure)
        case requestInvalid
        case bodyTimeout
        case idleTimeout
        case noResponse
        case responseInvalid
        case responseCutOff
        /// The app's connection has failed.
        case appFailed(SocketFailure)
        case memoryShort
        case routeRemoved
        case drained

        /// The reason for which a worker ends sessions.
        init(aborted reason: SessionEnd) {
            switch reason {
            case .routeRemoved: self = .routeRemoved
            case .refused(.memoryShort): self = .memoryShort
            case .idleTimeout: self = .idleTimeout
            default: self = .drained
            }
        }

        var end: SessionEnd {
            switch self {
            case .finished: .finished
            case .refused(let refusal): refusal.end
            case .clientLeft: .clientLeft
            case .clientFailed(let code): .clientFailed(code)
            case .requestInvalid: .invalidRequest
            case .bodyTimeout: .bodyTimeout
            case .idleTimeout: .idleTimeout
            case .noResponse: .noAnswer
            case .responseInvalid: .invalidAnswer
            case .responseCutOff: .answerCutOff
            case .appFailed(let code): .appFailed(code)
            case .memoryShort: .refused(.memoryShort)
            case .routeRemoved: .routeRemoved
            case .drained: .drained
            }
        }
    }
}

internal import Access
internal import Configuration
internal import EventLoop
internal import HTTP1

extension Refusal {
    /// Makes the page that the client gets.
    func page(for http: HTTPRoute, of route: Route) -> ErrorPage {
        let (app, settings) = (http.appName, http.settings)
        return switch self {
        case .invalidHead(let fault): ErrorPage(status: fault.status, explanation: fault.explanation)
        case .headTimeout: .headTimeout(after: settings.headTimeout)
        case .unauthorized: .unauthorized(http.basicAuth?.realm ?? "", isWrong: false)
        case .wrongPassword: .unauthorized(http.basicAuth?.realm ?? "", isWrong: true)
        case .passwordsUnknown: .passwordsUnknown
        case .tooManyPasswords: .tooManyPasswords
        case .passwordTimeout: .passwordTimeout
        case .appNotListening: .appNotListening(app)
        case .appBusy: .appBusy(app)
        case .queueFull: .queueFull(app)
        case .queueTimeout: .queueTimeout(app, after: route.upstreamConnections.queueTimeout)
        case .connectFailed(let code): .connectFailed(app, SystemError("connect", code: code))
        case .invalidRequestBody:
            ErrorPage(status: 400, explanation: "The request's body is no valid chunked body.")
        case .requestCutOff:
            ErrorPage(status: 400, explanation: "The connection ended before the request's body did.")
        case .bodyTimeout: .bodyTimeout(after: settings.bodyTimeout)
        case .noResponse: .noAnswer(app)
        case .invalidResponse(let problem): .invalidAnswer(app, problem.explanation)
        case .responseTimeout: .answerTimeout(app, after: settings.responseTimeout)
        }
    }
}

extension Exchange.ResponseProblem {
    /// One sentence for people about the response.
    fileprivate var explanation: String {
        switch self {
        case .fault(let fault): fault.explanation
        case .unaskedSwitch: "It switches the protocol, which nobody has asked for."
        case .body: "Its body is no valid chunked body."
        }
    }
}

internal import Access
internal import EventLoop
internal import HTTP1
internal import Passwords
internal import Relay

/// A name and a password that must be held against the file.
struct PasswordQuestion {
    let credentials: BasicCredentials
    let file: PasswordFile
    /// See ``BasicAuth/letIn(_:edition:at:)``.
    let edition: Int
}

/// Clients that are asked who they are.
extension HTTPSession {
    /// What is to be done about a request's name and password.
    enum PasswordStep {
        /// The client may come in.
        case letIn(user: String)
        /// The password thread is to say.
        case ask(PasswordQuestion)
        case refuse(ErrorPage, SessionEnd)
    }

    func passwordStep(_ auth: BasicAuth, _ head: RequestHead, _ bytes: Span<UInt8>) -> PasswordStep {
        guard let credentials = head.basicCredentials(bytes) else {
            return .refuse(.unauthorized(auth.realm, isWrong: false), .unauthorized)
        }
        switch auth.answer(credentials, at: .coarse) {
        case .right: return .letIn(user: credentials.user)
        case .nobody: return .refuse(.passwordsUnknown, .passwordsBusy)
        case .ask(let file, let edition):
            return .ask(PasswordQuestion(credentials: credentials, file: file, edition: edition))
        }
    }

    /// The request waits for the password thread.
    func ask(_ question: PasswordQuestion, _ exchange: HTTPExchange) {
        guard let auth = http.basicAuth else { return }
        let credentials = question.credentials
        state = .waitingForApp(exchange, nil)
        // The ticket is the session's, and the completion ends with it.
        passwordTicket = worker.passwords.ask(route.shared.passwords, whether: credentials, areRightBy: question.file) {
            [unowned self] verdict in
            if verdict == .right { auth.letIn(credentials, edition: question.edition, at: .coarse) }
            passwordAnswered(credentials, verdict, auth)
        }
        if passwordTicket == nil { refuse(.tooManyPasswords, .passwordsBusy, exchange) }
    }

    private func passwordAnswered(_ credentials: BasicCredentials, _ verdict: PasswordDesk.Verdict, _ auth: BasicAuth) {
        passwordTicket = nil
        guard case .waitingForApp(let exchange, nil) = state else { return }
        route.clock.beginTurn()
        switch verdict {
        case .right:
            exchange.user = credentials.user
            goToApp(exchange)
        case .wrong: refuse(.unauthorized(auth.realm, isWrong: true), .wrongPassword, exchange)
        case .tooLate: refuse(.tooManyPasswords, .passwordsBusy, exchange)
        }
    }
}

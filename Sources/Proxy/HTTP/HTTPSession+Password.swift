internal import Access
internal import EventLoop
internal import HTTP1
internal import Relay

/// Clients that are asked who they are.
extension HTTPSession {
    /// What is to be done about a request's name and password.
    enum PasswordStep {
        /// The client may come in.
        case letIn(user: String)
        /// The password thread is to say.
        case ask(PasswordThread.Question)
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
            return .ask(
                worker.question(credentials, in: file) { [weak self] question, isRight in
                    if isRight { auth.letIn(credentials, edition: edition, at: .coarse) }
                    self?.passwordAnswered(question, isRight, auth)
                })
        }
    }

    /// The request waits for the password thread.
    func ask(_ question: PasswordThread.Question, _ exchange: HTTPExchange) {
        state = .waitingForApp(exchange, nil)
        passwordQuestion = question
        guard route.shared.passwords?.ask(question) ?? false else {
            passwordQuestion = nil
            worker.withdraw(question)
            return refuse(.tooManyPasswords, .passwordsBusy, exchange)
        }
    }

    private func passwordAnswered(_ question: PasswordThread.Question, _ isRight: Bool, _ auth: BasicAuth) {
        guard question === passwordQuestion, case .waitingForApp(let exchange, nil) = state else { return }
        passwordQuestion = nil
        route.clock.beginTurn()
        guard isRight else {
            return refuse(.unauthorized(auth.realm, isWrong: true), .wrongPassword, exchange)
        }
        exchange.user = question.credentials.user
        goToApp(exchange)
    }
}

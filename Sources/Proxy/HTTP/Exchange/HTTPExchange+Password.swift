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
extension HTTPExchange {
    /// Looks at a request's name and password. Where the password thread has to be asked, the question is kept for
    /// ``askPassword(_:)``.
    func access(of head: RequestHead, _ bytes: Span<UInt8>, _ client: Client) -> Exchange.Access {
        guard let auth = client.http.basicAuth else { return .granted }
        guard let credentials = head.basicCredentials(bytes) else { return .refused(.unauthorized) }
        switch auth.answer(credentials, at: .coarse) {
        case .right:
            record.user = credentials.user
            return .granted
        case .nobody: return .refused(.passwordsUnknown)
        case .ask(let file, let edition):
            waiting = .toAsk(PasswordQuestion(credentials: credentials, file: file, edition: edition))
            return .unknown
        }
    }

    func askPassword(_ client: Client) {
        guard let auth = client.http.basicAuth, case .toAsk(let question) = waiting else { return }
        let credentials = question.credentials
        // The exchange holds the ticket, with which the desk forgets the completion.
        let ticket = client.worker.passwords.ask(
            client.route.shared.passwords, whether: credentials, areRightBy: question.file
        ) { [self] verdict in
            if verdict == .right { auth.letIn(credentials, edition: question.edition, at: .coarse) }
            passwordChecked(credentials, verdict)
        }
        guard let ticket else { return tell(.passwordRefused(.tooManyPasswords), client) }
        waiting = .forPassword(ticket)
    }

    private func passwordChecked(_ credentials: BasicCredentials, _ verdict: PasswordDesk.Verdict) {
        guard let client, case .forPassword = waiting else { return }
        waiting = .nothing
        client.clock.beginTurn()
        switch verdict {
        case .right:
            record.user = credentials.user
            tell(.passwordChecked(isRight: true), client)
        case .wrong: tell(.passwordChecked(isRight: false), client)
        case .tooLate: tell(.timedOut(.password), client)
        }
    }
}

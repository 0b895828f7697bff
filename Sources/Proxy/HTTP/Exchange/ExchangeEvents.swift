internal import HTTP1
internal import Network

extension Exchange {
    /// Something that has happened to an exchange.
    enum Event: Equatable, Sendable {
        // MARK: The request

        case headCompleted(RequestTerms, Access)
        /// The head is no valid one, or did not come in time.
        case headRefused(Method, Refusal)
        case passwordChecked(isRight: Bool)
        /// Nobody can be asked about the password.
        case passwordRefused(Refusal)
        case appConnected(AppConnectionKind)
        /// No connection to the app is to be had.
        case appUnavailable(Refusal)
        /// Some of the request has gone to the app. `isConsumed`: some of its body has been taken from the client.
        case requestMoved(RequestProgress, isConsumed: Bool)
        /// The body can't be one.
        case requestInvalid
        /// The client has ended its connection in the middle of the body.
        case requestCutOff
        /// The app's connection takes no more; a send has failed.
        case appRefusedRequest(SocketFailure)

        // MARK: The response

        /// The first byte has come.
        case responseBegan
        /// A head is whole. `isLeaving`: no more requests are to come on the client's connection, whatever the client wants.
        case responseHead(ResponseTerms, isLeaving: Bool)
        case responseHeadSent
        case responseInvalid(ResponseProblem)
        /// All of the body has come.
        case responseWhole(AppConnectionState)
        case appEnded(AppEnd)
        /// The client has taken everything that it was sent.
        case delivered

        // MARK: Ends

        /// The client has gone while it waited for the app, or in the middle of a head.
        case clientLeft
        /// The client's connection has failed.
        case clientFailed(SocketFailure)
        /// The client has not even taken what came before the error page.
        case pageBlocked
        case timedOut(Timeout)
        /// The worker wants the exchange to end now.
        case aborted(Cause)
        /// The relay that the connections had become has ended.
        case relayEnded
    }

    /// The result of a look at a request's credentials.
    enum Access: Equatable, Sendable {
        case granted
        /// The password thread has to be asked.
        case unknown
        case refused(Refusal)
    }

    /// The past of a connection to the app.
    enum AppConnectionKind: Equatable, Sendable {
        case new
        /// It has carried requests before, of anybody.
        case kept
        /// It has carried requests of this client alone, by which the app may know the client.
        case clientsOwn
    }

    enum RequestProgress: Equatable, Sendable { case partly, taken, sent }

    /// The state of the app's connection at a response's end.
    enum AppConnectionState: Equatable, Sendable {
        /// It is between two messages.
        case quiet
        /// Likewise, and the app may know it as this client's.
        case quietAndClients
        /// It has said more than its response, or is ending.
        case spent
    }

    enum AppEnd: Equatable, Sendable {
        case endOfStream
        /// The connection has failed.
        case failed(SocketFailure)
        /// The connection has ended, but not as an app ends a response: a signal has ended its process, or a failure came
        /// first.
        case brokenOff
    }

    enum Timeout: Equatable, Sendable { case head, password, body, response, idle }

    enum ResponseProblem: Equatable, Sendable {
        case fault(ResponseFault)
        /// 101, which the request has not asked for, or not yet.
        case unaskedSwitch
        case body
    }

    /// Something to be done for an exchange.
    enum Action: Equatable, Sendable {
        /// Nothing but to go on.
        case none
        case askPassword
        /// Take an open connection to the app, or ask for a new one.
        case findApp
        /// Reset the connection to the app, and ask for a new one.
        case findOtherApp
        /// Write the request's head, and send it with what has come of the body.
        case sendRequest
        /// Send the head that was written before.
        case sendRequestAgain
        /// Give up what is left of the request, and read what the app has said.
        case readResponse
        case sendInterim
        case dropInterim
        case sendHead(Persistence)
        /// Make a relay of the two connections.
        case relay
        /// Close the app's connection, and respond with an error page.
        case sendPage(Refusal)
        /// Let go of the app's connection, then deliver what the client has not taken.
        case release(AppConnectionUse)
        /// Count the request, and go on with the client's connection.
        case finish(Next, Cause)
        /// End the response where it is, so that the client sees that it is not whole; reset the app's connection.
        case cutOff(Cause)
        /// Reset both connections once their peers have what they were given.
        case reset(Cause)
        /// Reset both connections now.
        case resetAtOnce(Cause)
        /// Close the client's connection.
        case leave(Cause)
    }

    /// The future of the app's connection behind a response.
    enum AppConnectionUse: Equatable, Sendable {
        case close
        /// Anybody may have it next.
        case giveBack
        /// It stays with this client.
        case keepForClient
    }
}

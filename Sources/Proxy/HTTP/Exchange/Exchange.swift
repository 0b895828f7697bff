internal import HTTP1
internal import Network

/// The course of one request and its response: how far they have come, and what follows from what happens next.
///
/// A value without sockets and buffers, made anew for each request. Events go in, actions come out: whoever holds the two
/// connections tells it each event once and carries out the action. It decides when a request is sent again, whether a
/// connection stays, and who is told what when something fails. `README.md` beside this file has the table.
struct Exchange: Equatable, Sendable {
    enum Phase: Equatable, Sendable {
        /// A part of the request's head has come.
        case readingHead
        /// The head is whole, and the password thread has been asked about its password.
        case authorizing
        /// The head is whole, and a connection to the app is yet to be had.
        case awaitingApp(Attempt)
        /// The request's body and the response go their ways at the same time.
        case exchanging(RequestCourse, ResponseCourse)
        /// The response is complete, but the client has not taken all of it.
        case delivering(Next, Cause)
        /// The two connections are a relay.
        case switched
        /// Nothing happens any more.
        case over(Cause)
    }

    enum Attempt: Equatable, Sendable { case first, retry }

    /// The progress of a request's body on its way to the app.
    enum RequestCourse: Equatable, Sendable {
        /// More is to come from the client.
        case coming
        /// The client has sent all of it, but the app's kernel has not taken all of it.
        case taken
        /// The app's kernel has all of it.
        case sent
        /// The app's connection takes no more; a send has failed. The app may have responded before.
        case refused(SocketFailure)
    }

    /// The progress of a response on its way to the client.
    enum ResponseCourse: Equatable, Sendable {
        /// No byte of it has come.
        case awaited(ifAppLeaves: Fallback)
        /// A part of its head has come, or an informational response.
        case begun
        /// The head is whole, and is yet to be sent.
        case ready(Delivery)
        /// The head has been sent.
        case sending(Delivery)
    }

    /// The reply to an app that ends its connection before a byte of the response.
    enum Fallback: Equatable, Sendable {
        /// The client gets an error page.
        case page
        /// The request is sent again on another connection.
        case sendAgain
        /// The client's connection ends without a response, as it would without a proxy: the app may know the client by the
        /// connection that has ended, and would not on another one.
        case endClient
    }

    /// The parts of a response's head that matter once it has been sent.
    struct Delivery: Equatable, Sendable {
        /// The future of the client's connection behind the response.
        let client: Persistence
        /// The future of the app's connection, as far as the head says.
        let app: Persistence
        /// The sign by which we see the end of the body.
        let sourceEnd: BodyEnd
        /// The sign by which the client sees the end of the body.
        let clientEnd: BodyEnd
        /// The content behind the head: a body, or another protocol.
        let content: Content
    }

    enum Persistence: Equatable, Sendable { case stays, closes }
    enum BodyEnd: Equatable, Sendable { case framing, connection }
    enum Content: Equatable, Sendable { case body, otherProtocol }

    /// The future of the client's connection once the client has everything.
    enum Next: Equatable, Sendable {
        case request
        /// It ends; the request was whole.
        case close
        /// It ends, and a part of the request may still come, which must not be met with a reset.
        case linger
        /// Likewise, and the client must see that the response is not whole.
        case cutOff
    }

    private(set) var phase = Phase.readingHead
    private(set) var request = RequestTerms()

    /// Takes note of an event, and says what is to be done. An event that means nothing in the present phase, such as one
    /// that comes too late, changes nothing.
    mutating func on(_ event: Event) -> Action {
        switch phase {
        case .readingHead: readingHead(event)
        case .authorizing: authorizing(event)
        case .awaitingApp(let attempt): awaitingApp(attempt, event)
        case .exchanging(let request, let response): exchanging(request, response, event)
        case .delivering(let next, let cause): delivering(next, cause, event)
        case .switched: switched(event)
        case .over: .none
        }
    }

    mutating func enter(_ phase: Phase) { self.phase = phase }

    mutating func take(_ terms: RequestTerms) { request = terms }
}

/// The parts of a request's head that matter to the course of its exchange.
struct RequestTerms: Equatable, Sendable {
    var method = Method.get
    var version = Version.http11
    var upgrade = Upgrade.none
    /// Whether the client may send another request on its connection.
    var keepsAlive = false
}

/// The parts of a response's head that matter to the course of its exchange.
struct ResponseTerms: Equatable, Sendable {
    /// From 100 to 999.
    var status = 200
    var framing = BodyFraming.none
    /// Whether the app keeps its connection open for another request.
    var keepsAlive = true

    init(status: Int, framing: BodyFraming, keepsAlive: Bool) {
        self.status = status
        self.framing = framing
        self.keepsAlive = keepsAlive
    }

    init(_ head: ResponseHead) {
        self.init(status: head.status, framing: head.framing, keepsAlive: head.keepsAlive)
    }

    var isInformational: Bool { status < 200 && status != 101 }
}

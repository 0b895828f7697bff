internal import Access
internal import EventLoop
internal import Glibc
internal import HTTP1
internal import Network
internal import Observability
internal import Relay
internal import Upstream

/// One exchange under way: tells its course what happens on the two connections, and carries out what follows.
///
/// A route's clients on one worker pass these on to each other, so a request allocates next to nothing, and a connection that
/// is idle has none. They pass on memory: the parsers' tables and the buffers. The state, ``course`` and ``record``, is
/// made anew for each request.
///
/// The client's side is handed to every call instead of being looked up, which costs no reference counting.
final class HTTPExchange {
    typealias Client = HTTP1ClientConnection

    /// Something that the exchange waits for outside its connections, to be withdrawn where the exchange ends before.
    enum Waiting {
        case nothing
        /// The password thread is about to be asked.
        case toAsk(PasswordQuestion)
        case forPassword(PasswordTicket)
        case forApp(ConnectRequest)
    }

    private(set) var course = Exchange()
    var record = ExchangeRecord(at: .coarse)
    var waiting = Waiting.nothing
    /// The exchange's client while there is one, for those who call from outside.
    private(set) var client: Client?
    /// The client's address for us, where responses are rewritten to it.
    var clientOrigin: ClientOrigin?
    /// The request in its own words, for the log; somebody else's where ``ExchangeRecord/hasText`` is false.
    var text = RequestText()

    let reader: HTTP1RequestReader
    let app: HTTP1AppConnection
    /// The bytes being sent: a head, and the framing in front of the rest. A request's stay until a byte of the response has
    /// come.
    private(set) var output: [UInt8] = []

    /// Called by the app's sockets; made once. A socket has it no longer than ``app`` has the socket, which `self` owns.
    private(set) lazy var appHandler: IOEvent.Handler = { [unowned self] in appReady($0) }

    /// Buffers that are larger are given back to the system after use.
    static let largestKeptBuffer = 16 << 10

    init(_ limits: HeadLimits) {
        reader = HTTP1RequestReader(limits)
        app = HTTP1AppConnection(limits)
    }

    // MARK: From one request to the next

    /// Begins with a request, of which the first byte has come.
    func begin(for client: Client, at time: MonotonicTime) {
        course = Exchange()
        record = ExchangeRecord(at: time)
        clientOrigin = nil
        reader.begin()
        app.begin()
        if output.capacity > Self.largestKeptBuffer { output = [] }
        self.client = client
    }

    /// Forgets the client.
    func forget() {
        reader.forgetInput()
        client = nil
    }

    // MARK: Events and actions

    /// Tells the course what has happened. It is read and written whole: changed in place, the runtime would watch each access.
    func note(_ event: Exchange.Event) -> Exchange.Action {
        var next = course
        let action = next.on(event)
        course = next
        return action
    }

    /// Tells the course what has happened, and carries out what follows.
    func tell(_ event: Exchange.Event, _ client: Client) { perform(note(event), client) }

    /// Carries out an action. The exchange may be somebody else's afterwards.
    func perform(_ action: Exchange.Action, _ client: Client) {
        switch action {
        case .none, .sendInterim, .dropInterim, .sendHead: break
        case .askPassword: askPassword(client)
        case .findApp: findApp(client)
        case .findOtherApp: findOtherApp(client)
        case .sendRequest: sendWaitingRequest(client)
        case .sendRequestAgain: sendAgain(client)
        case .readResponse: readRestOfResponse(client)
        case .relay: relay(client)
        case .sendPage(let refusal): sendPage(refusal, client)
        case .release(let use): release(use, client)
        case .finish(let next, let cause): finish(next, cause, client)
        case .cutOff(let cause): cutOff(cause, client)
        case .reset(let cause): reset(cause, atOnce: false, client)
        case .resetAtOnce(let cause): reset(cause, atOnce: true, client)
        case .leave(let cause): leave(cause, client)
        }
    }

    // MARK: Readiness

    /// Goes on with the readiness of the client's socket, which its half has noted.
    func clientReady(_ readiness: IOEvent.Readiness, _ client: Client) {
        let hasFailed = readiness.contains(.failed)
        switch course.phase {
        case .readingHead:
            // Words that came before a failure are read first.
            if client.toApp.mayReceive { client.readHead() }
        case .authorizing:
            if hasFailed { clientHasFailed(client) }
        case .awaitingApp: waitingClientReady(readiness, client)
        case .exchanging:
            if readiness.contains(.writable), client.toClient.isWaitingForSink {
                carryResponse(client, clientIsReady: true)
            }
            if client.toApp.mayReceive { carryRequest(client) }
            if hasFailed { endIfClientHasFailed(client) }
        case .delivering:
            if hasFailed { return clientHasFailed(client) }
            if readiness.contains(.writable) { deliverRest(client) }
        case .switched, .over: break
        }
    }

    private func appReady(_ readiness: IOEvent.Readiness) {
        guard let client, let connection = app.connection else { return }
        client.clock.beginTurn()
        var readiness = readiness
        // A reset behind a FIN, of which the kernel notes EPIPE (tcp_reset()): what the app has said is whole.
        if readiness.contains(.failed), connection.socket.socket.takeError() == .system(EPIPE) {
            readiness = [.readable, .endOfStream, .writable]
        }
        client.toClient.noteSource(readiness)
        if readiness.contains(.endOfStream) { app.noteLife(client.worker.appLife) }
        if !readiness.isDisjoint(with: [.writable, .failed]), client.toApp.isWaitingForSink {
            carryRequest(client, appIsReady: true)
            endIfClientHasFailed(client)
        }
        if client.toClient.mayReceive { carryResponse(client) }
    }

    /// Goes on when the other connections have had their turn.
    func turnHasCome(_ client: Client) {
        guard course.isExchanging else { return }
        carryRequest(client)
        carryResponse(client)
        endIfClientHasFailed(client)
    }

    // MARK: Output

    /// The buffer for ``output``, empty. It goes to ``putBack(output:)`` before anything else is done with the exchange.
    func takeOutput() -> [UInt8] {
        var taken = output
        output = []
        taken.removeAll(keepingCapacity: true)
        return taken
    }

    func putBack(output: [UInt8]) {
        self.output = output
    }
}

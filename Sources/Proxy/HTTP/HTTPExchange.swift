internal import EventLoop
internal import Glibc
internal import HTTP1
internal import Network
internal import Observability

/// One request and its answer, on their way: what must outlive a read, and how far both have come.
///
/// A route's sessions on one worker pass these on to each other, so a request allocates next to nothing, and a connection
/// that is idle has none.
///
/// What is changed often is read and written whole, and what is worked on in place, such as a buffer, is taken out
/// meanwhile where that is cheap. So the compiler can prove that no two accesses overlap, where the runtime would have to
/// watch each of them.
final class HTTPExchange {
    // MARK: The request

    var requestParser: RequestParser
    /// What the client has sent and nobody has used yet; what is before ``inputStart`` has been used.
    private var input: [UInt8] = []
    private var inputStart = 0
    var requestBody = BodyFrame(.none)
    /// All of the body has been taken from the client.
    private(set) var isRequestWhole = false
    /// The client wants its answers of errors as pages for people.
    private(set) var acceptsHTML = false
    private(set) var method = Method.get
    private(set) var version = Version.http11
    private(set) var asksForWebSocket = false
    /// The request has credentials that authenticate the connection on which the app gets them.
    private(set) var authenticatesConnection = false
    /// What the client used to reach us, where answers are rewritten to it.
    private(set) var clientOrigin: ClientOrigin?
    /// The rest of the body is not for the app any more, which has answered or gone before it came.
    var isRequestAbandoned = false
    /// The head has been written into ``output``, and stays there until a byte of the answer has come.
    var hasWrittenRequest = false
    /// Some of the body has been taken from the client.
    var hasConsumedBody = false
    var wasRetried = false
    /// What has come of the body can't be one.
    var isRequestInvalid = false

    // MARK: The answer

    var responseParser: ResponseParser
    /// The beginning of a head of which more is to come.
    private var answer: [UInt8] = []
    var responseBody = BodyFrame(.none)
    /// All of the body has been taken from the app.
    private(set) var isAnswerWhole = false
    /// What is to be sent behind the body.
    private var trailers: [UInt8] = []
    /// A byte of the answer has come.
    var hasAnswerBegun = false
    /// The answer's head has gone to the client.
    var isAnswering = false
    /// Whether the connection to the app may be used again, as far as the answer's head says.
    var appKeepsAlive = false
    /// The client's connection ends with the answer.
    var closes = false
    /// Why sending to the app has failed; it may have answered before.
    var appSendFault: SocketFailure?

    /// Nothing is awaited from the app any more but what it has said already. After EPIPE it may still speak: a Unix socket's
    /// peer can shut its reading side alone.
    var isAppBroken: Bool { appSendFault.map { $0 != .system(EPIPE) } ?? false }
    /// The answer ends here, and is not whole.
    var isCutOff = false
    /// What was known of the app's process when the end of its connection was told; nil before, and where nobody knows it.
    var appLifeAtEnd: AppLife?

    /// What is being sent: a head, and what goes in front of the rest.
    private(set) var output: [UInt8] = []

    // MARK: For the log and the timeouts

    private(set) var text = RequestText()
    private var hasText = false
    /// Who the client is, where that was asked and found out.
    var user: String?
    var status: Int?
    var upstream: SocketAddress?
    var source: SocketAddress?
    var isReused = false
    /// It went to the app on a connection that was the client's own before: the app may know the client by it.
    var isOnOwnConnection = false
    /// What was wrong, where the answer is our own.
    var failure: SessionEnd?
    /// How much of the request's body has gone to the app, and how much of the answer's to the client, without what frames
    /// them; after the protocol was switched, all that went either way.
    var bytesToApp: UInt64 = 0
    var bytesToClient: UInt64 = 0
    var times = ExchangeTimes()
    /// When the client last sent a part of the request, or the app last took one.
    var lastRequestActivity = MonotonicTime.coarse
    /// The request's first byte has come.
    var began = MonotonicTime.coarse

    init(_ limits: HeadLimits) {
        requestParser = RequestParser(limits: limits)
        responseParser = ResponseParser(limits: limits)
    }

    // MARK: Input

    var hasInput: Bool { inputStart < input.count }

    /// Adds what the client has sent.
    func append(input bytes: Span<UInt8>) {
        var taken = input
        input = []
        taken.append(contentsOf: bytes)
        input = taken
    }

    /// Has the input looked at, whose first bytes are used up then. `body` must not touch the input otherwise.
    /// - Parameter body: returns how many bytes it has used.
    func useInput<Step>(_ body: (Span<UInt8>) -> (used: Int, Step)) -> Step {
        // Whatever is done to the exchange meanwhile, such as giving it back, what has been used must not come again.
        let start = inputStart
        let taken = input
        input = []
        let (used, step) = body(taken.span.extracting(start...))
        input = taken
        inputStart = start + used
        if inputStart == input.count { forgetInput() }
        return step
    }

    /// There is nothing behind this request that could be one.
    func forgetInput() {
        inputStart = 0
        guard !input.isEmpty else { return }
        var taken = input
        input = []
        taken.removeAll(keepingCapacity: taken.capacity <= Self.largestKeptBuffer)
        input = taken
    }

    // MARK: Output and answer

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

    var hasPartOfAnswer: Bool { !answer.isEmpty }

    /// What came of the answer's head before.
    func takeAnswer() -> [UInt8] {
        let taken = answer
        answer = []
        return taken
    }

    /// Keeps the beginning of a head.
    func keep(answer bytes: Span<UInt8>) {
        var taken = answer
        answer = []
        taken.append(contentsOf: bytes)
        answer = taken
    }

    // MARK: Bodies

    /// Takes the beginning of the request's body from what has come with the head.
    /// - Returns: as ``BodyFrame/scanBeginning(_:from:into:)``.
    func beginRequestBody(
        _ framing: BodyFraming, _ bytes: Span<UInt8>, from start: Int, into output: inout [UInt8]
    ) -> (pass: Range<Int>, next: Int)? {
        var body = BodyFrame(framing, mostAhead: Self.mostBodyAhead)
        let beginning = body.scanBeginning(bytes, from: start, into: &output)
        isRequestWhole = body.hasEnded
        bytesToApp = body.payloadBytes
        requestBody = consume body
        return beginning
    }

    /// Likewise of the answer's.
    func beginAnswerBody(
        _ framing: BodyFraming, as form: BodyOutput, _ bytes: Span<UInt8>, from start: Int, into output: inout [UInt8]
    ) -> (pass: Range<Int>, next: Int)? {
        var body = BodyFrame(framing, output: form)
        let beginning = body.scanBeginning(bytes, from: start, into: &output)
        isAnswerWhole = body.hasEnded
        bytesToClient = body.payloadBytes
        responseBody = consume body
        return beginning
    }

    /// There is no answer from the app, or no use for it any more.
    func endAnswerBody() {
        responseBody = BodyFrame(.none)
        isAnswerWhole = true
        trailers = []
    }

    /// Takes note of how far the copy loop has come with the request. What it has received beyond is the input then.
    func noteRequestProgress() {
        guard !isRequestWhole else { return }
        bytesToApp = requestBody.payloadBytes
        guard requestBody.hasEnded else { return }
        isRequestWhole = true
        guard !requestBody.surplus.isEmpty else { return }
        // Whoever receives more than a body has used up the input before.
        input = requestBody.surplus
        inputStart = 0
    }

    /// Takes note of how far the copy loop has come with the answer.
    func noteAnswerProgress() {
        guard !isAnswerWhole else { return }
        bytesToClient = responseBody.payloadBytes
        guard responseBody.hasEnded else { return }
        isAnswerWhole = true
        trailers = responseBody.takeTrailers()
        // What nobody has asked for is an answer to nothing.
        if !responseBody.surplus.isEmpty { appKeepsAlive = false }
    }

    /// What is to be sent behind the answer's body; empty the second time.
    func takeTrailers() -> [UInt8] {
        let taken = trailers
        trailers = []
        return taken
    }

    // MARK: Steps

    /// Takes from the request's head what is needed when its bytes have gone.
    func begin(_ head: RequestHead, wantsOrigin: Bool, _ bytes: Span<UInt8>, from sender: Sender) {
        method = head.method
        version = head.version
        acceptsHTML = head.acceptsHTML(bytes)
        asksForWebSocket = head.upgrade == .webSocket
        authenticatesConnection = head.authenticatesConnection
        clientOrigin = wantsOrigin ? head.clientOrigin(bytes, from: sender) : nil
        responseParser.reset(answering: head.method)
        isRequestAbandoned = false
    }

    /// Copies what the log says in the request's own words.
    func copyText(_ head: RequestHead, _ bytes: Span<UInt8>) {
        hasText = true
        text.copy(
            from: bytes, requestLine: head.requestLine, method: head.methodRange, target: head.targetRange,
            referer: head.first(.referer)?.valueRange ?? 0..<0,
            userAgent: head.first(.userAgent)?.valueRange ?? 0..<0)
    }

    /// Forgets everything about the client.
    func forget() {
        forgetInput()
        beginNext()
    }

    /// Makes ready for the same client's next request, of which something has come.
    func beginNext() {
        requestParser.reset()
        requestBody = BodyFrame(.none)
        isRequestWhole = false
        responseBody = BodyFrame(.none)
        isAnswerWhole = false
        trailers = []
        acceptsHTML = false
        method = .get
        version = .http11
        asksForWebSocket = false
        authenticatesConnection = false
        clientOrigin = nil
        isRequestAbandoned = false
        hasWrittenRequest = false
        hasConsumedBody = false
        wasRetried = false
        isRequestInvalid = false
        answer = []
        // Whoever takes it finds it empty.
        if output.capacity > Self.largestKeptBuffer { output = [] }
        hasAnswerBegun = false
        isAnswering = false
        appKeepsAlive = false
        closes = false
        appSendFault = nil
        isCutOff = false
        appLifeAtEnd = nil
        user = nil
        status = nil
        upstream = nil
        source = nil
        isReused = false
        isOnOwnConnection = false
        failure = nil
        bytesToApp = 0
        bytesToClient = 0
        if hasText { text.reset() }
        hasText = false
        times = ExchangeTimes()
    }

    /// The request's first byte has come.
    func noteBeginning(at time: MonotonicTime) {
        began = time
        lastRequestActivity = time
    }

    /// The method of a request whose head was refused, as far as it could be read.
    func noteRefusedHead() {
        method = requestParser.head.method
        closes = true
    }

    /// Buffers that are larger are given back to the system after use.
    private static let largestKeptBuffer = 16 << 10
    /// What one receive may take of a chunked body: more may have to be kept, if other requests follow.
    private static let mostBodyAhead = 64 << 10
}

/// When things happened; nil where they have not, or where nobody wants to know.
struct ExchangeTimes {
    /// The app was asked for.
    var asked: MonotonicTime?
    /// The app was called, for a new connection.
    var called: MonotonicTime?
    var connected: MonotonicTime?
    var firstByte: MonotonicTime?
}

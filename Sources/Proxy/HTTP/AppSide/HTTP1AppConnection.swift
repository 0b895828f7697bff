internal import EventLoop
internal import HTTP1
internal import Network
internal import Relay
internal import Upstream

/// The app's side of one exchange over HTTP/1: sends the request's head, reads the response, and knows whether the connection
/// may be used again.
///
/// It has a connection as long as the exchange is on one; the parser and its tables are used again for other exchanges.
final class HTTP1AppConnection {
    /// The state of one response's reading; made anew for each.
    private struct Message {
        /// The bytes of a head of which more is to come.
        var beginning: [UInt8] = []
        /// Whether the app has said more than its response: a response to nothing.
        var hasSurplus = false
        /// The life of the app's process as known when the end of its connection was told; nil before, and where nobody knows.
        var lifeAtEnd: AppLife?
    }

    private(set) var connection: AppConnection?
    private var parser: ResponseParser
    private var message = Message()
    /// Read and written whole by everybody: worked on in place, the runtime would watch each access to it.
    var body = BodyFrame(.none)
    /// Runs while it is about to be known whether the end of a response is the app's; the exchange waits meanwhile.
    var lifeTimer: Timer?

    init(_ limits: HeadLimits) {
        parser = ResponseParser(limits: limits)
    }

    /// Forgets the response before.
    func begin() {
        message = Message()
        body = BodyFrame(.none)
    }

    // MARK: The connection

    /// Takes a connection over.
    /// - Parameter handler: hears of its socket's readiness, until ``release()``.
    func take(_ connection: AppConnection, _ handler: @escaping IOEvent.Handler) {
        connection.socket.onReady = handler
        self.connection = connection
    }

    /// Hands the connection on; it is closed where nobody takes it.
    @discardableResult
    func release() -> AppConnection? {
        guard let connection else { return nil }
        connection.socket.onReady = nil
        self.connection = nil
        lifeTimer = nil
        return connection
    }

    /// Whether the connection is between two messages.
    /// - Parameter half: carries the app's words.
    func isQuiet(_ half: HalfDuplex) -> Bool {
        guard let connection, !message.hasSurplus, body.surplus.isEmpty, !half.isSourceEnding else { return false }
        return !half.mayReceive || connection.socket.socket.idleState == .quiet
    }

    // MARK: The request

    /// Sends a request's head, and the bytes that follow it at once: the only function that sends one.
    /// - Parameter half: carries the request.
    func send(
        head: Span<UInt8>, _ bytes: Span<UInt8>, through half: HalfDuplex, in workspace: RelayWorkspace
    ) -> HalfDuplex.Outcome {
        guard let connection else { return .ended }
        return half.deliver(head, bytes, to: connection.socket.socket, in: workspace)
    }

    // MARK: The response

    /// The head, as far as it has been parsed.
    var head: ResponseHead { parser.head }

    /// Goes on with the head; see ``ResponseParser/parse(_:)``.
    func parse(_ bytes: Span<UInt8>) -> HeadProgress<ResponseFault> { parser.parse(bytes) }

    /// Makes ready for a head: the first one, or the one behind an informational one.
    func expectHead(answering method: Method) { parser.reset(answering: method) }

    var hasBeginningOfHead: Bool { !message.beginning.isEmpty }

    /// Takes out the bytes that came of the head before.
    func takeBeginningOfHead() -> [UInt8] {
        let taken = message.beginning
        message.beginning = []
        return taken
    }

    func keep(beginningOfHead bytes: Span<UInt8>) {
        var taken = takeBeginningOfHead()
        taken.append(contentsOf: bytes)
        message.beginning = taken
    }

    /// Takes the beginning of the body from the bytes that have come with the head.
    /// - Returns: as ``BodyFrame/scanBeginning(_:from:into:)``, without its end.
    func beginBody(
        _ framing: BodyFraming, as form: BodyOutput, _ bytes: Span<UInt8>, from start: Int, into output: inout [UInt8]
    ) -> Range<Int>? {
        var frame = BodyFrame(framing, output: form)
        let beginning = frame.scanBeginning(bytes, from: start, into: &output)
        body = consume frame
        guard let (pass, next) = beginning else { return nil }
        if next < bytes.count { message.hasSurplus = true }
        return pass
    }

    /// Takes the bytes that go behind the body; see ``BodyFrame/takeTrailers()``.
    func takeTrailers() -> [UInt8] {
        guard body.owesTrailers else { return [] }
        var frame = body
        let trailers = frame.takeTrailers()
        body = consume frame
        return trailers
    }

    /// Takes note of bytes of the body that were passed on unseen.
    func noteBody(_ count: Int) {
        var frame = body
        frame.advance(by: UInt64(count))
        body = consume frame
    }

    /// Ends a body that is put in chunks with the connection.
    func endBodyWithConnection() {
        guard body.isPutInChunks else { return }
        var frame = body
        frame.endWithConnection()
        body = consume frame
    }

    // MARK: The app's life

    /// Notes whether the app lived when the end of its connection was told: the client may take much longer for the rest.
    /// - Parameter look: asks; nil where nobody knows.
    func noteLife(_ look: (() -> AppLife)?) {
        guard let look, message.lifeAtEnd == nil else { return }
        message.lifeAtEnd = look()
    }

    var lifeAtEnd: AppLife? {
        get { message.lifeAtEnd }
        set { message.lifeAtEnd = newValue }
    }
}

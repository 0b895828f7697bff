internal import HTTP1

/// The client's side of one exchange over HTTP/1, as far as it is read: the head, the framing of the body, and the input that
/// nobody has used yet.
///
/// The input outlives the exchange where the client sends several requests at once. A buffer that is worked on in place is
/// taken out meanwhile, so that the compiler can prove that no two accesses overlap.
final class HTTP1RequestReader {
    private var parser: RequestParser
    /// Read and written whole by everybody: worked on in place, the runtime would watch each access to it.
    var body = BodyFrame(.none)
    private var input: [UInt8] = []
    /// The number of bytes at the input's beginning that have been used.
    private var inputStart = 0

    /// The most that one receive may take of a chunked body: more may have to be kept, if other requests follow.
    private static let mostBodyAhead = 64 << 10

    init(_ limits: HeadLimits) {
        parser = RequestParser(limits: limits)
    }

    /// Makes ready for a head. The input stays: it is the same client's.
    func begin() {
        parser.reset()
        body = BodyFrame(.none)
    }

    // MARK: The head

    /// The head, as far as it has been parsed.
    var head: RequestHead { parser.head }

    /// Whether the app is to know the client by its connection from this request on.
    var authenticatesConnection: Bool { parser.head.authenticatesConnection }

    var hasBody: Bool { parser.head.framing != .none }

    /// Goes on with the head; see ``RequestParser/parse(_:)``.
    func parse(_ bytes: Span<UInt8>) -> HeadProgress<RequestFault> { parser.parse(bytes) }

    // MARK: The body

    /// Takes the beginning of the body from the bytes that have come with the head.
    /// - Returns: as ``BodyFrame/scanBeginning(_:from:into:)``.
    func beginBody(
        _ framing: BodyFraming, _ bytes: Span<UInt8>, from start: Int, into output: inout [UInt8]
    ) -> (pass: Range<Int>, next: Int)? {
        // As most requests are, and as begin() has left it.
        if framing == .none { return (start..<start, start) }
        var frame = BodyFrame(framing, mostAhead: Self.mostBodyAhead)
        let beginning = frame.scanBeginning(bytes, from: start, into: &output)
        body = consume frame
        return beginning
    }

    /// Makes input of the bytes received beyond the body's end. Whoever receives more than a body has used up the input before.
    func keepSurplus() {
        guard body.hasEnded, !body.surplus.isEmpty else { return }
        var frame = body
        input = frame.takeSurplus()
        inputStart = 0
        body = consume frame
    }

    /// Takes the bytes that go behind the body; see ``BodyFrame/takeTrailers()``.
    func takeTrailers() -> [UInt8] {
        guard body.owesTrailers else { return [] }
        var frame = body
        let trailers = frame.takeTrailers()
        body = consume frame
        return trailers
    }

    // MARK: The input

    var hasInput: Bool { inputStart < input.count }

    /// Adds bytes that the client has sent.
    func append(input bytes: Span<UInt8>) {
        var taken = input
        input = []
        taken.append(contentsOf: bytes)
        input = taken
    }

    /// Has the input looked at, whose first bytes are used up then. `body` must not touch the input otherwise.
    /// - Parameter body: returns the number of bytes that it has used.
    func useInput<Step>(_ body: (Span<UInt8>) -> (used: Int, Step)) -> Step {
        let start = inputStart
        let taken = input
        input = []
        let (used, step) = body(taken.span.extracting(start...))
        input = taken
        inputStart = start + used
        if inputStart == input.count { forgetInput() }
        return step
    }

    /// Throws the input away: there is nothing in it that could be a request.
    func forgetInput() {
        inputStart = 0
        guard !input.isEmpty else { return }
        var taken = input
        input = []
        taken.removeAll(keepingCapacity: taken.capacity <= HTTPExchange.largestKeptBuffer)
        input = taken
    }
}

/// Tells a ``HalfDuplex`` how much of what comes from its source belongs to the stream that it carries.
///
/// A copy of the value remembers how far the stream had come; a ``HalfDuplex`` goes back to one where the sink took less
/// than was looked at.
public protocol StreamFraming {
    /// The stream has ended; what the source has beyond belongs to something else.
    var hasEnded: Bool { get }
    /// The number of the next bytes that belong to the stream for certain and may be moved unseen.
    var plainBytesAhead: UInt64 { get }
    /// The most that one receive may take. Bytes beyond the stream's end are given to ``keep(_:)``.
    var readLimit: Int { get }
    /// The source's end is the stream's, and the sink is to be told so behind everything else.
    var tellsEnd: Bool { get }

    /// Takes note of bytes that were moved unseen; at most ``plainBytesAhead``.
    mutating func advance(by count: UInt64)
    /// Looks at what has arrived. While the stream goes on and there are bytes left, it is called again at
    /// ``StreamStep/next``.
    /// - Parameter start: the first byte that no earlier call has covered.
    mutating func scan(_ bytes: Span<UInt8>, from start: Int) -> StreamStep
    /// Takes what was received beyond the stream's end; at least one byte, valid only during the call.
    mutating func keep(_ surplus: Span<UInt8>)
}

extension StreamFraming {
    public var tellsEnd: Bool { false }
}

/// The outcome of a look at some bytes of a stream.
public struct StreamStep: Sendable {
    public enum Outcome: Sendable {
        case goesOn
        /// The stream ended just before ``StreamStep/next``.
        case ended
        /// This can't be the stream any more.
        case invalid
    }

    /// The range that is to be passed on.
    public let pass: Range<Int>
    /// The position at which to go on.
    public let next: Int
    public let outcome: Outcome

    public init(pass: Range<Int>, next: Int, outcome: Outcome) {
        self.pass = pass
        self.next = next
        self.outcome = outcome
    }
}

/// A stream that is everything its source ever says.
struct Everything: StreamFraming {
    /// Stored, since a value of no size has no address of its own: the thread sanitizer takes two threads' for the same.
    let hasEnded = false
    var plainBytesAhead: UInt64 { .max }
    var readLimit: Int { .max }
    /// Not behind a failure: what follows that looks like an end, and is none.
    let tellsEnd: Bool

    init(tellsEnd: Bool = true) {
        self.tellsEnd = tellsEnd
    }

    mutating func advance(by count: UInt64) {}

    mutating func scan(_ bytes: Span<UInt8>, from start: Int) -> StreamStep {
        StreamStep(pass: start..<bytes.count, next: bytes.count, outcome: .goesOn)
    }

    mutating func keep(_ surplus: Span<UInt8>) {}
}

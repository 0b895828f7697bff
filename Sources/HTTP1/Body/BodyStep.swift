/// The result of a look at a piece of a body.
public struct BodyStep: Sendable, Equatable {
    public enum Outcome: Sendable, Equatable {
        /// The body is not at its end: go on at ``BodyStep/next``, with more bytes if there are none behind it.
        case goesOn
        /// The body ended just before ``BodyStep/next``.
        case ended
        /// The framing is broken; what was passed on must never be ended as if it were whole.
        case invalid(BodyFault)
    }

    /// The range to be passed on as it is; may be empty.
    public let pass: Range<Int>
    /// The index to go on at; after a fault without meaning.
    public let next: Int
    public let outcome: Outcome

    public init(pass: Range<Int>, next: Int, outcome: Outcome) {
        self.pass = pass
        self.next = next
        self.outcome = outcome
    }
}

/// The form in which a body is passed on.
public enum BodyOutput: UInt8, Sendable {
    /// It keeps the framing that it came in.
    case sameFraming
    /// It loses its framing: a chunked body for a client that does not know chunks, until the connection closes.
    case payloadOnly
    /// It is put in chunks (``Chunk``), though it ends with the app's connection, so that the client's connection stays.
    case inChunks
}

/// The end of a message's body (RFC 9112 section 6.3).
public enum BodyFraming: Sendable, Equatable {
    case none
    /// It comes after this many bytes; at least one, and less than 2^63.
    case length(UInt64)
    case chunked
    /// It comes with the connection's; of responses only.
    case untilClose
}

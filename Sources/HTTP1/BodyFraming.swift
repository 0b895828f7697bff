/// Where a message's body ends (RFC 9112 section 6.3).
public enum BodyFraming: Sendable, Equatable {
    case none
    /// After this many bytes; at least one, and less than 2^63.
    case length(UInt64)
    case chunked
    /// With the connection; of responses only.
    case untilClose
}

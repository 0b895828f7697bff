/// A request's target (RFC 9112 section 3.2), as ranges of the head.
public enum RequestTarget: Sendable, Equatable {
    /// A path and query; begins with a slash.
    case origin(Range<Int>)
    /// A whole URL. Its path and query are empty, or begin with a slash or a question mark.
    case absolute(Scheme, authority: Range<Int>, pathAndQuery: Range<Int>)
    /// `*`, of OPTIONS only.
    case asterisk
}

/// The rules by which one response is rewritten for its client.
public struct ResponseForwarding: Sendable {
    /// The version of the client's request. A client of HTTP/1.0 gets no chunks and no trailers; its connection is closed
    /// after a body that came in chunks or without a length. It must not be sent informational responses at all.
    public var clientVersion: Version
    /// Whether the client's connection is closed after the response.
    public var closes: Bool
    /// The replacement of the app's own address; nil leaves it.
    public var rewriting: OriginRewriting?

    public init(clientVersion: Version, closes: Bool, rewriting: OriginRewriting? = nil) {
        self.clientVersion = clientVersion
        self.closes = closes
        self.rewriting = rewriting
    }
}

extension BodyFraming {
    /// Whether a client that speaks this version can be shown where such a body ends, unless its connection ends there. One of
    /// HTTP/1.1 gets chunks where there is no length.
    public func showsItsEnd(in version: Version) -> Bool {
        switch self {
        case .none, .length: true
        case .chunked, .untilClose: version == .http11
        }
    }
}

extension RequestHead {
    /// Whether the client's connection must be closed after this response, with ``ResponseForwarding/closes``.
    ///
    /// Not known here: whether the request's body was read to its end, without which the next request cannot be found.
    public func closes(after response: ResponseHead) -> Bool {
        !keepsAlive || !response.framing.showsItsEnd(in: version)
    }
}

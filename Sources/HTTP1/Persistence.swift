extension BodyFraming {
    /// Whether it takes chunks to tell a client where such a body ends, unless its connection does.
    var takesChunks: Bool { self == .chunked || self == .untilClose }
}

extension RequestHead {
    /// Whether the client's connection must be closed after this response, with ``ResponseForwarding/closes``.
    ///
    /// Not known here: whether the request's body was read to its end, without which the next request cannot be found.
    public func closes(after response: ResponseHead) -> Bool {
        !keepsAlive || version == .http10 && response.framing.takesChunks
    }
}

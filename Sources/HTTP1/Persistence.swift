extension RequestHead {
    /// Whether the client's connection must be closed after this response, with ``ResponseForwarding/closes``.
    ///
    /// Not known here: whether the request's body was read to its end, without which the next request cannot be found.
    public func closes(after response: ResponseHead) -> Bool {
        !keepsAlive || response.framing == .untilClose || response.output(to: version) == .payloadOnly
    }
}

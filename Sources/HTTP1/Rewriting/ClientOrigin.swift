/// The scheme, host and port with which the client reached us, as far as anybody trustworthy says: they replace
/// an app's own address in a response.
public struct ClientOrigin: Sendable, Equatable {
    public let scheme: Scheme
    /// Host and port as in a Host field.
    public let authority: [UInt8]

    public init(scheme: Scheme, authority: [UInt8]) {
        self.scheme = scheme
        self.authority = authority
    }
}

extension RequestHead {
    /// Returns the origin with which the client reached us; nil when it did not say (HTTP/1.0 without Host).
    public func clientOrigin(_ bytes: Span<UInt8>, from sender: Sender) -> ClientOrigin? {
        guard let place = clientAuthority(bytes, from: sender) else { return nil }
        var authority: [UInt8] = []
        authority.append(bytes, place)
        return ClientOrigin(scheme: clientScheme(bytes, from: sender), authority: authority)
    }

    /// The client's scheme: a trusted sender's word, or else how the sender reached us.
    public func clientScheme(_ bytes: Span<UInt8>, from sender: Sender) -> Scheme {
        guard sender.isTrusted, let field = first(.forwardedProto) else { return sender.scheme }
        var elements = ListElements(field.valueRange)
        guard let element = elements.next(in: bytes) else { return sender.scheme }
        if bytes.equals(element, Text.https) { return .https }
        return bytes.equals(element, Text.http) ? .http : sender.scheme
    }

    /// The host and port that the client asked for: a trusted sender's word, or else what the sender asked for.
    func clientAuthority(_ bytes: Span<UInt8>, from sender: Sender) -> Range<Int>? {
        guard sender.isTrusted, let field = first(.forwardedHost) else { return hostRange }
        var elements = ListElements(field.valueRange)
        guard let element = elements.next(in: bytes), Authority(bytes, element) != nil else { return hostRange }
        return element
    }
}

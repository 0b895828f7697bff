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

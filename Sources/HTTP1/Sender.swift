/// Whoever sent a request to us: the client, or a proxy before us.
public struct Sender: Sendable {
    /// Its IP address as text, without brackets or port; empty when there is none (a Unix socket).
    public let address: [UInt8]
    /// How it reached us.
    public let scheme: Scheme
    /// Whether what it says in the X-Forwarded fields and in Forwarded is believed.
    public let isTrusted: Bool

    public init(address: [UInt8], scheme: Scheme, isTrusted: Bool) {
        self.address = address.isEmpty ? Text.unknown : address
        self.scheme = scheme
        self.isTrusted = isTrusted
    }
}

/// Whoever sent a request to us: the client, or a proxy before us.
public struct Sender: Sendable {
    /// Its IP address as text, without brackets or port; empty when there is none (a Unix socket).
    public let address: [UInt8]
    /// How it reached us.
    public let scheme: Scheme
    /// Whether what it says in the X-Forwarded fields and in Forwarded is believed.
    public let isTrusted: Bool

    /// What every request from here gets, ready to be copied: up to the host, between the two hosts, and behind them.
    let beforeHost: [UInt8]
    let betweenHosts: [UInt8]
    let afterHosts: [UInt8]

    public init(address: [UInt8], scheme: Scheme, isTrusted: Bool) {
        self.address = address.isEmpty ? Text.unknown : address
        self.scheme = scheme
        self.isTrusted = isTrusted
        let proto = scheme.text
        beforeHost =
            Text.forwardedFor + self.address + Text.lineEnd + Text.forwardedProto + proto + Text.lineEnd
            + Text.forwardedHost
        // One element of Forwarded (RFC 7239 section 4).
        let isV6 = self.address.contains(.colon)
        let node = isV6 ? [.quote, 0x5B] + self.address + [0x5D, .quote] : self.address
        betweenHosts = Text.lineEnd + Text.forwarded + Text.forwardedForPair + node + Text.forwardedHostPair
        afterHosts = Text.forwardedProtoPair + proto + Text.lineEnd
    }
}

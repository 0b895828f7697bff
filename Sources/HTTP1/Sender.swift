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
        beforeHost = Self.joined([
            Text.forwardedFor, self.address, Text.lineEnd, Text.forwardedProto, proto, Text.lineEnd, Text.forwardedHost,
        ])
        // One element of Forwarded (RFC 7239 section 4).
        let isV6 = self.address.contains(.colon)
        let node = isV6 ? [.quote, 0x5B] + self.address + [0x5D, .quote] : self.address
        betweenHosts = Self.joined([
            Text.lineEnd, Text.forwarded, Text.forwardedForPair, node, Text.forwardedHostPair,
        ])
        afterHosts = Self.joined([Text.forwardedProtoPair, proto, Text.lineEnd])
    }

    /// Every connection has a sender, so its texts grow once and not piece by piece.
    private static func joined(_ pieces: [[UInt8]]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(pieces.reduce(0) { $0 + $1.count })
        for piece in pieces { text += piece }
        return text
    }
}

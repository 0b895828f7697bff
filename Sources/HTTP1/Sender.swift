/// Whoever sent a request to us: the client, or a proxy before us.
///
/// A connection has one for all of its requests.
public final class Sender: Sendable {
    /// Its IP address as text, without brackets or port; empty when there is none (a Unix socket).
    public let address: [UInt8]
    /// How it reached us.
    public let scheme: Scheme
    /// Whether what it says in the X-Forwarded fields and in Forwarded is believed.
    public let isTrusted: Bool

    /// What every request from here gets, ready to be copied, but for the host, which belongs in two places.
    let fields: [UInt8]
    /// The two places.
    let hostPlaces: (Int, Int)

    public init(address: [UInt8], scheme: Scheme, isTrusted: Bool) {
        let address = address.isEmpty ? Text.unknown : address
        self.address = address
        self.scheme = scheme
        self.isTrusted = isTrusted
        let proto = scheme.text
        var fields: [UInt8] = []
        // Every connection has a sender, so this grows once and not piece by piece.
        fields.reserveCapacity(192 + 2 * address.count)
        fields += Text.forwardedFor
        fields += address
        fields += Text.lineEnd
        fields += Text.forwardedProto
        fields += proto
        fields += Text.lineEnd
        fields += Text.forwardedHost
        let firstHost = fields.count
        fields += Text.lineEnd
        fields += Text.forwarded
        Self.writeElement(address, into: &fields)
        fields += Text.forwardedHostPair
        hostPlaces = (firstHost, fields.count)
        fields += Text.forwardedProtoPair
        fields += proto
        fields += Text.lineEnd
        self.fields = fields
    }

    /// The sender's part of an element of Forwarded (RFC 7239 section 4).
    func writeElement(into output: inout [UInt8]) {
        Self.writeElement(address, into: &output)
    }

    private static func writeElement(_ address: [UInt8], into output: inout [UInt8]) {
        output += Text.forwardedForPair
        // IPv6.
        guard address.contains(.colon) else { return output += address }
        output += [.quote, 0x5B]
        output += address
        output += [0x5D, .quote]
    }
}

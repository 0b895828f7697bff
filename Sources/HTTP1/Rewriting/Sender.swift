/// Whoever sent a request to us: the client, or a proxy before us.
///
/// A connection has one for all of its requests.
public final class Sender: Sendable {
    /// Its IP address as text, without brackets or port; empty when there is none (a Unix socket).
    public let address: [UInt8]
    /// The scheme with which it reached us.
    public let scheme: Scheme
    /// Whether what it says in the X-Forwarded fields and in Forwarded is believed.
    public let isTrusted: Bool

    /// The fields that tell every request's client by its certificate; empty where clients are not asked for one.
    let certificateFields: [UInt8]
    /// The fields that every request from here gets, ready to be copied, but for the host, which belongs in at two points.
    let fields: [UInt8]
    /// The two points.
    let hostPlaces: (Int, Int)

    /// - Parameter certificate: nil where clients are not asked for one.
    public init(address: [UInt8], scheme: Scheme, isTrusted: Bool, certificate: ClientCertificate? = nil) {
        certificateFields = certificate?.fields ?? []
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

internal import Network

/// A host as it may stand in a Host field (RFC 9110 section 7.2): `app.example`, `192.0.2.1`, `[::1]`, each with a port or
/// without one.
struct HostName: Equatable {
    let text: String

    /// The most characters of a name (RFC 1035 section 2.3.4), and of each of its parts.
    private static let longest = 253
    private static let longestPart = 63

    /// - Returns: nil when it is none at all.
    /// - Throws: ``ValueError`` for what is one nearly.
    init?(_ text: String) throws(ValueError) {
        if text.contains("://") || text.contains("/") {
            throw ValueError("a Host field has neither a scheme nor a path, found \(quoted(text))")
        }
        var rest = text[...]
        if let colon = text.lastIndex(of: ":"), text[colon...].allSatisfy({ $0 != "]" }) {
            let digits = String(text[text.index(after: colon)...])
            guard let port = wholeNumber(digits), 1...65_535 ~= port else {
                throw ValueError("\(quoted(digits)) behind the colon in \(quoted(text)) is no port from 1 to 65535")
            }
            rest = text[..<colon]
        }
        if rest.hasPrefix("[") {
            guard rest.hasSuffix("]"), let address = Self.address(rest.dropFirst().dropLast()), address.family == .v6
            else { throw ValueError("\(quoted(String(rest))) is not an IPv6 address") }
            try Self.refuseWildcard(address, text)
        } else if rest.contains(":") {
            throw ValueError("an IPv6 address needs brackets, as in '[::1]:8000', found \(quoted(text))")
        } else {
            if let address = Self.address(rest) { try Self.refuseWildcard(address, text) }
            guard Self.isName(rest) else { return nil }
        }
        self.text = text
    }

    private static func address(_ text: Substring) -> IPAddress? {
        text.utf8.allSatisfy(isAddressByte) ? IPAddress(String(text)) : nil
    }

    /// Elsewhere `--host 0.0.0.0` says where to listen.
    private static func refuseWildcard(_ address: IPAddress, _ text: String) throws(ValueError) {
        guard address.isUnspecified else { return }
        throw ValueError(
            "\(quoted(text)) is no host that a client asks for; the address to listen on stands in the route")
    }

    private static func isName(_ text: Substring) -> Bool {
        guard 1...longest ~= text.utf8.count else { return false }
        return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
            1...longestPart ~= part.utf8.count && part.first != "-" && part.last != "-"
                && part.utf8.allSatisfy(isNameByte)
        }
    }

    /// The underscore is in no host name of the standards, and in those of many a container.
    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

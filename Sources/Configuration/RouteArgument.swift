internal import Network

/// A ROUTE, after `docker -p`: `[LISTEN_ADDRESS:][LISTEN_PORT:][UPSTREAM_HOST:]UPSTREAM_PORT[/tcp|/http|/udp]`,
/// where a Unix socket's `unix:/PATH` may stand for the upstream.
struct RouteArgument: Equatable {
    let listen: ListenSpec
    let upstream: UpstreamAddress
    /// Nil where it does not say.
    let `protocol`: RouteProtocol?

    /// - Throws: ``ValueError`` that names the part which is wrong.
    init(_ text: String) throws(ValueError) {
        guard !text.isEmpty else { throw ValueError("expected a ROUTE such as 8080:8000, found nothing") }
        let (addresses, `protocol`) = try Self.splitProtocol(text)
        self.protocol = `protocol`
        let address = try AddressText(addresses)
        var parts = address.parts[...]
        if let path = address.unixPath {
            upstream = .address(.unix(path: path))
            listen = try Self.listen(taking: &parts, samePort: nil)
        } else {
            let upstreamPort = try parts.removeLast().port(lowest: 1)
            listen = try Self.listen(taking: &parts, samePort: upstreamPort)
            upstream = try UpstreamAddress(parts.popFirst() ?? .localhost, port: upstreamPort)
        }
        if let left = parts.first {
            throw ValueError(
                "\(quoted(left.text)) is one part too many; "
                    + "expected [LISTEN_ADDRESS:][LISTEN_PORT:][UPSTREAM_HOST:]UPSTREAM_PORT")
        }
    }

    /// Takes the protocol off the end. What follows `unix:` is a path, slashes and all.
    private static func splitProtocol(_ text: String) throws(ValueError) -> (String, RouteProtocol?) {
        guard !text.hasPrefix("unix:"), !text.contains(":unix:"), let slash = text.lastIndex(of: "/") else {
            return (text, nil)
        }
        let `protocol` = try ValueKind.protocol.read(String(text[text.index(after: slash)...]))
        return (String(text[..<slash]), `protocol`)
    }

    /// Takes the listen address and port off the front.
    /// - Parameter samePort: the upstream's port, for listening at the same one.
    private static func listen(
        taking parts: inout ArraySlice<AddressPart>, samePort: UInt16?
    ) throws(ValueError) -> ListenSpec {
        var host: AddressPart?
        switch parts.first {
        case .address?:
            let address = parts.removeFirst()
            if parts.isEmpty, let samePort {
                throw ValueError(
                    "\(quoted(address.text)) may be the address to listen on or the upstream's; "
                        + "write '\(address.text):\(samePort):\(samePort)' or '\(samePort):\(address.text):\(samePort)'"
                )
            }
            host = address
        case .wildcard?:
            host = parts.removeFirst()
        case .other(let text)?:
            throw ValueError(
                "\(quoted(text)) is neither a port nor an address; "
                    + "expected localhost, an IPv4 address, or an IPv6 address in brackets")
        case .localhost? where parts.dropFirst().first?.isNumber == true:
            throw ValueError(
                "'localhost' is no address to listen on; expected an IPv4 address, an IPv6 address in brackets, or *")
        case .localhost?, .number?, nil: break
        }
        let port: UInt16
        if parts.first?.isNumber == true {
            port = try parts.removeFirst().port(lowest: 0)
        } else if let samePort {
            port = samePort
        } else {
            throw ValueError("a Unix socket needs a port to listen on, as in '8080:unix:/run/app.sock'")
        }
        return try ListenSpec(host ?? .wildcard, port: port)
    }
}

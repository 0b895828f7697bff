internal import Network

/// A ROUTE, after `docker -p`: `[LISTEN_ADDRESS:][LISTEN_PORT:][UPSTREAM_HOST:]UPSTREAM_PORT[/tcp|/http|/udp]`, where
/// a Unix socket's `unix:/PATH` may stand for the upstream, for what to listen on, or for both, and
/// `systemd` or `systemd:NAME` for what to listen on.
struct RouteArgument: Equatable {
    let listen: ListenSpec
    let upstream: UpstreamAddress
    /// Nil where it does not say.
    let `protocol`: RouteProtocol?

    /// - Throws: ``ValueError`` that names the part which is wrong.
    init(_ text: String) throws(ValueError) {
        guard !text.isEmpty else { throw ValueError("expected a ROUTE such as 8080:8000, found nothing") }
        if text.hasPrefix("unix:") {
            let (path, rest) = try Self.splitListenPath(text)
            listen = .unix(path: path, UnixSocketAccess())
            let (address, `protocol`) = try Self.splitProtocol(rest)
            upstream = try ValueKind.upstream.read(address)
            self.protocol = `protocol`
            return
        }
        if text.hasPrefix("systemd:") {
            let (name, rest) = try Self.splitInheritedName(text)
            listen = .inherited(name: name)
            let (address, `protocol`) = try Self.splitProtocol(rest)
            upstream = try ValueKind.upstream.read(address)
            self.protocol = `protocol`
            return
        }
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

    /// Takes `systemd:` or `systemd:NAME:` off the front. What can begin an upstream is none of these names; the file knows them.
    private static func splitInheritedName(_ text: String) throws(ValueError) -> (name: String?, rest: String) {
        let text = text.dropFirst("systemd:".count)
        let first = text.prefix { $0 != ":" && $0 != "/" }
        let colon = text.firstIndex(of: ":")
        let beginsUpstream =
            first.isEmpty || first.hasPrefix("[") || first == "localhost" || first == "unix"
            || IPAddress(String(first)) != nil
            || first.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
        guard !beginsUpstream, let colon else { return (nil, String(text)) }
        return (try AddressText.checkedName(String(text[..<colon])), String(text[text.index(after: colon)...]))
    }

    /// Takes `unix:/PATH:` off the front. Such a path ends with its first colon; the file knows others.
    private static func splitListenPath(_ text: String) throws(ValueError) -> (path: String, rest: String) {
        let text = text.dropFirst("unix:".count)
        guard let colon = text.firstIndex(of: ":") else {
            throw ValueError(
                "a Unix socket needs an upstream behind it, as in 'unix:/run/web.sock:8000', "
                    + "or a port to listen on, as in '8080:unix:/run/app.sock'")
        }
        return (try AddressText.checkedPath(String(text[..<colon])), String(text[text.index(after: colon)...]))
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

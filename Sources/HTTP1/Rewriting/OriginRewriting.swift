/// Replaces the app's own address by the one that the client used, in the fields that say where to go.
///
/// The app's own address is `upstreamAuthority`, and localhost, 127.0.0.0/8 and [::1] with the same port: another port is
/// another program.
public struct OriginRewriting: Sendable {
    private let upstreamAuthority: [UInt8]
    private let client: ClientOrigin

    /// - Parameter upstreamAuthority: host and port as in ``RequestForwarding/upstreamAuthority``.
    public init(upstreamAuthority: [UInt8], client: ClientOrigin) {
        self.upstreamAuthority = upstreamAuthority
        self.client = client
    }

    /// Copies the field with its value changed if it names the app; otherwise does nothing.
    func rewrite(_ field: HeadField, _ bytes: Span<UInt8>, _ copy: inout HeadCopy, into output: inout [UInt8]) {
        let value = field.valueRange
        switch field.name {
        case .location, .contentLocation: rewriteURL(value, bytes, &copy, into: &output)
        case .refresh:
            if let url = Self.url(inRefresh: value, bytes) { rewriteURL(url, bytes, &copy, into: &output) }
        case .setCookie: rewriteDomain(value, bytes, &copy, into: &output)
        default: break
        }
    }

    // MARK: URLs

    private func rewriteURL(
        _ range: Range<Int>, _ bytes: Span<UInt8>, _ copy: inout HeadCopy, into output: inout [UInt8]
    ) {
        guard let url = URLStart(bytes, range), namesApp(url, bytes) else { return }
        copy.replace(range.lowerBound..<url.end, bytes, into: &output)
        if url.scheme != nil {
            output += client.scheme == .http ? Text.httpURL : Text.httpsURL
        } else {
            output.append(.slash)
            output.append(.slash)
        }
        output += client.authority
    }

    private func namesApp(_ url: URLStart, _ bytes: Span<UInt8>) -> Bool {
        let own = upstreamAuthority.span
        guard let upstream = Authority(own, 0..<own.count) else { return false }
        // Apps often put the client's scheme before their own host, without giving up their port.
        let port = url.authority.port(bytes, default: url.scheme ?? .http)
        guard port == upstream.port(own, default: .http) else { return false }
        return bytes.equals(url.authority.host, own, upstream.host) || Self.isLoopback(url.authority.host, bytes)
    }

    private static func isLoopback(_ host: Range<Int>, _ bytes: Span<UInt8>) -> Bool {
        bytes.equals(host, Text.localhost) || bytes.equals(host, Text.loopbackV6) || isLoopbackV4(host, bytes)
    }

    /// 127. and three more numbers.
    private static func isLoopbackV4(_ host: Range<Int>, _ bytes: Span<UInt8>) -> Bool {
        var parts = 1
        var digits = 0
        var first = 0
        for index in host {
            let byte = bytes[index]
            if byte == 0x2E, digits > 0 {
                parts += 1
                digits = 0
            } else if byte.isDigit, digits < 3 {
                digits += 1
                if parts == 1 { first = first * 10 + Int(byte - .zero) }
            } else {
                return false
            }
        }
        return parts == 4 && digits > 0 && first == 127
    }

    /// The URL in `5; url=http://host/`, without quotes around it.
    private static func url(inRefresh value: Range<Int>, _ bytes: Span<UInt8>) -> Range<Int>? {
        guard
            let separator = bytes.firstIndex(of: .semicolon, in: value) ?? bytes.firstIndex(of: .comma, in: value)
        else { return nil }
        var rest = bytes.trimmed(separator + 1..<value.upperBound)
        if bytes.begins(rest, with: Text.url) {
            let afterName = bytes.trimmed(rest.lowerBound + Text.url.count..<rest.upperBound)
            guard let sign = afterName.first, bytes[sign] == .equals else { return nil }
            rest = bytes.trimmed(sign + 1..<rest.upperBound)
        }
        guard let first = rest.first else { return nil }
        guard bytes[first] == .quote || bytes[first] == 0x27 else { return rest }
        let quoted = first + 1..<rest.upperBound
        return quoted.lowerBound..<(bytes.firstIndex(of: bytes[first], in: quoted) ?? quoted.upperBound)
    }

    // MARK: Cookies

    /// Changes the Domain attributes that name the app. An IPv6 address cannot be one: without the attribute the cookie
    /// belongs to exactly the host that the client used.
    private func rewriteDomain(
        _ value: Range<Int>, _ bytes: Span<UInt8>, _ copy: inout HeadCopy, into output: inout [UInt8]
    ) {
        let authority = client.authority.span
        guard let clientHost = Authority(authority, 0..<authority.count)?.host else { return }
        var start = value.lowerBound
        var isAttribute = false
        while start < value.upperBound {
            let end = bytes.firstIndex(of: .semicolon, in: start..<value.upperBound) ?? value.upperBound
            if isAttribute, let domain = domain(in: start..<end, bytes) {
                if authority[clientHost.lowerBound] == 0x5B {  // [
                    copy.replace(start - 1..<end, bytes, into: &output)
                } else {
                    copy.replace(domain, bytes, into: &output)
                    output.append(authority, clientHost)
                }
            }
            isAttribute = true
            start = end + 1
        }
    }

    /// The value of a Domain attribute that names the app.
    private func domain(in attribute: Range<Int>, _ bytes: Span<UInt8>) -> Range<Int>? {
        guard let sign = bytes.firstIndex(of: .equals, in: attribute),
            bytes.equals(bytes.trimmed(attribute.lowerBound..<sign), Text.domain)
        else { return nil }
        let domain = bytes.trimmed(sign + 1..<attribute.upperBound)
        guard let first = domain.first else { return nil }
        let host = bytes[first] == 0x2E ? first + 1..<domain.upperBound : domain
        let own = upstreamAuthority.span
        guard let upstream = Authority(own, 0..<own.count) else { return nil }
        return bytes.equals(host, own, upstream.host) || Self.isLoopback(host, bytes) ? domain : nil
    }
}

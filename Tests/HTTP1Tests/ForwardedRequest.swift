import HTTP1

/// A request whose lines end with CR LF; the empty line is added.
func lines(_ lines: String...) -> [UInt8] {
    Array((lines + ["", ""]).joined(separator: "\r\n").utf8)
}

/// What the app gets of a request.
struct ForwardedRequest {
    var host = RequestForwarding.Host.preserve
    var upstream = "localhost:8000"
    var address = "192.0.2.7"
    var scheme = Scheme.http
    var isTrusted = false
    var closes = false
    var passesExpectation = true

    /// The lines, without the empty one; nil when the request is refused.
    func callAsFunction(_ request: [UInt8]) -> [String]? {
        var parser = RequestParser()
        guard case .complete = parser.parse(request.span) else { return nil }
        var output: [UInt8] = []
        parser.head.write(
            request.span, to: RequestForwarding(host: host, upstreamAuthority: Array(upstream.utf8)),
            from: Sender(address: Array(address.utf8), scheme: scheme, isTrusted: isTrusted), closes: closes,
            passesExpectation: passesExpectation, into: &output)
        let text = String(decoding: output, as: UTF8.self)
        guard text.hasSuffix("\r\n\r\n") else { return nil }
        return text.dropLast(2).split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// Only the lines of these fields.
    func fields(_ names: String..., of request: [UInt8]) -> [String]? {
        self(request)?.filter { line in names.contains { line.lowercased().hasPrefix($0.lowercased() + ":") } }
    }
}

import HTTP1
import Testing

/// Which heads make a connection to the app one client's own.
@Suite struct ConnectionAuthenticationTests {
    @Test(arguments: [
        "NTLM", "ntlm", "Negotiate", "NEGOTIATE", "Nego2", "Kerberos", "Negotiate:Kerberos", "NTLM TlRMTVNTUAAC",
        "Negotiate YIIG", "\tNTLM", "NTLM\t", "Basic realm=\"a\", NTLM", "Basic realm=\"a\",Negotiate,NTLM", ", ,NTLM",
        "Basic realm=\"a, b\", Digest nonce=\"x\" , Negotiate", "Negotiate NTLM",
        // No scheme, but nobody is harmed.
        "Basic realm=\"a, NTLM\"",
    ])
    func names(_ value: String) {
        for field in ["WWW-Authenticate", "www-authenticate", "Proxy-Authenticate"] {
            #expect(isSeen(inResponse: "\(field): \(value)"), "\(field): \(value)")
            #expect(isSeen(inResponse: "\(field): Basic", "X: 1", "\(field): \(value)"), "in a second field")
        }
        for field in ["Authorization", "AUTHORIZATION", "Proxy-Authorization"] {
            #expect(isSeen(inRequest: "\(field): \(value)"), "\(field): \(value)")
            #expect(isSeen(inRequest: "\(field): Bearer x", "\(field): \(value)"), "in a second field")
        }
    }

    @Test(arguments: [
        "", "Basic", "Basic TlRMTSA=", "Bearer NTLM", "Digest username=\"NTLM\"", "NT", "N", "NTL M", "Neg", "Kerbero",
        "Token Negotiate", "XNTLM", "\"NTLM\"", ",", ", ,",
    ])
    func namesNone(_ value: String) {
        #expect(!isSeen(inResponse: "WWW-Authenticate: \(value)"))
        #expect(!isSeen(inRequest: "Authorization: \(value)"))
    }

    @Test func otherFields() {
        #expect(isSeen(inResponse: "Persistent-Auth: true"))
        #expect(isSeen(inResponse: "persistent-auth: false"))
        #expect(!isSeen(inResponse: "X-Authenticate: NTLM", "Authentication-Info: NTLM", "Set-Cookie: NTLM"))
        #expect(!isSeen(inRequest: "X-Authorization: NTLM", "Cookie: Negotiate"))
    }

    @Test func aParserForgets() {
        var requests = RequestParser()
        _ = requests.parse(lines("GET / HTTP/1.1", "Host: a", "Authorization: NTLM x").span)
        #expect(requests.head.authenticatesConnection)
        requests.reset()
        _ = requests.parse(lines("GET / HTTP/1.1", "Host: a").span)
        #expect(!requests.head.authenticatesConnection)
        var responses = ResponseParser()
        _ = responses.parse(lines("HTTP/1.1 401 No", "WWW-Authenticate: NTLM").span)
        #expect(responses.head.authenticatesConnection)
        responses.reset(answering: .get)
        _ = responses.parse(lines("HTTP/1.1 200 OK", "Content-Length: 0").span)
        #expect(!responses.head.authenticatesConnection)
    }

    private func isSeen(inRequest fields: String...) -> Bool {
        let bytes = Array((["GET / HTTP/1.1", "Host: a"] + fields + ["", ""]).joined(separator: "\r\n").utf8)
        var parser = RequestParser()
        guard case .complete = parser.parse(bytes.span) else {
            Issue.record("no head: \(fields)")
            return false
        }
        return parser.head.authenticatesConnection
    }

    private func isSeen(inResponse fields: String...) -> Bool {
        let bytes = Array((["HTTP/1.1 401 Unauthorized"] + fields + ["", ""]).joined(separator: "\r\n").utf8)
        var parser = ResponseParser()
        guard case .complete = parser.parse(bytes.span) else {
            Issue.record("no head: \(fields)")
            return false
        }
        return parser.head.authenticatesConnection
    }
}

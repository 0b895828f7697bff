import Testing

@testable import HTTP1

/// Who a client says it is.
@Suite struct BasicCredentialsTests {
    private static func credentials(_ fields: String) throws -> BasicCredentials? {
        let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n".utf8)
        var parser = RequestParser(limits: HeadLimits())
        let isComplete = if case .complete = parser.parse(bytes.span) { true } else { false }
        try #require(isComplete)
        return parser.head.basicCredentials(bytes.span)
    }

    @Test(arguments: [
        ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame"), ("basic YTpi", "a", "b"),
        ("BASIC   YTpi", "a", "b"), ("Basic YTo=", "a", ""), ("Basic YTo", "a", ""), ("Basic YTpiOmM=", "a", "b:c"),
        ("Basic YsO2cm46w6Q=", "börn", "ä"),
    ])
    func areRead(value: String, user: String, password: String) throws {
        let credentials = try #require(try Self.credentials("Authorization: \(value)\r\n"))
        #expect(credentials == BasicCredentials(user: user, password: Array(password.utf8)))
    }

    @Test(arguments: [
        "", "Basic", "Basic ", "Basic YQ==", "Basic OmI=", "Basic YTpi=", "Basic YTpi====", "Basic YT pi", "Basic Y",
        "Basic Y*pi", "Bearer YTpi", "BasicYTpi", "Basic\tYTpi", "Basic YTpiAGM=", "Basic YQA6Yg==", "Basic /zpi",
    ])
    func whatMakesNoSenseIsNone(value: String) throws {
        #expect(try Self.credentials("Authorization: \(value)\r\n") == nil)
    }

    @Test func twoFieldsAreNone() throws {
        #expect(try Self.credentials("Authorization: Basic YTpi\r\nAuthorization: Basic YTpi\r\n") == nil)
        #expect(try Self.credentials("") == nil)
    }

    @Test func whatIsVeryLongIsNone() throws {
        // 3 bytes for each "YTph", of which the first is "a:a".
        #expect(try Self.credentials("Authorization: Basic \(String(repeating: "YTph", count: 86))\r\n") != nil)
        #expect(try Self.credentials("Authorization: Basic \(String(repeating: "YTph", count: 90))\r\n") == nil)
    }
}

internal import EventLoop

/// The common parts of the admin port's responses, and those that are always the same.
enum AdminAnswer {
    static let textType = "text/plain; charset=utf-8"
    static let jsonType = "application/json"

    /// Nothing is kept, guessed or told to others.
    static let commonFields: [(name: String, value: String)] = [
        ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
    ]

    private static let paths = [
        "/metrics", "/healthz", "/readyz", "/status.json", "/history.json", "/configuration.yaml", "/doctor.json",
    ]

    static let notFound = "there is nothing here; there is:\n/\n" + paths.map { "\($0)\n" }.joined()

    /// For people.
    static let page = HTTPServer.Response(
        contentType: "text/html; charset=utf-8",
        fields: [("Content-Security-Policy", StatusPage.contentSecurityPolicy)], body: StatusPage.html)

    /// The number in `after=N`; nil where the query has none.
    static func number(inQuery query: String) -> Int? {
        query.split(separator: "&").lazy.compactMap { parameter in
            parameter.hasPrefix("after=") ? Int(parameter.dropFirst("after=".count)) : nil
        }.first
    }
}

extension HTTPServer.Response {
    static func text(_ status: Int, _ text: String) -> HTTPServer.Response {
        HTTPServer.Response(status: status, contentType: AdminAnswer.textType, body: Array(text.utf8))
    }

    static func json(_ status: Int, _ report: some Encodable) -> HTTPServer.Response {
        do {
            return HTTPServer.Response(
                status: status, contentType: AdminAnswer.jsonType, body: try JSONText.encode(report))
        } catch {
            return text(500, "\(error)\n")
        }
    }
}

internal import Observability

/// A response by loopbridge itself where the app gives none: the fault in one sentence, as a small page for people
/// or as JSON for programs.
///
/// ```swift
/// let page = ErrorPage.appNotListening("localhost:8000")
/// page.writeResponse(as: .html, headOnly: false, closes: false, into: &bytes)
/// ```
struct ErrorPage: Equatable {
    /// The form that the client wants it in.
    enum Format {
        case html
        case json
    }

    /// 400 to 599.
    let status: Int
    /// The fault, as a sentence with its period.
    let explanation: String
    /// The time after which to try again; nil where that is of no use.
    let retryAfter: Duration?
    /// Whether the page loads itself again after that time. Only where that repeats what the client did: for GET.
    var refreshesItself: Bool
    /// The realm for which a name and a password are asked for; nil where they are not.
    var realm: String?

    /// - Parameter refreshesItself: takes effect where there is a time to try again, and nothing is wrong with the request.
    init(status: Int, explanation: String, retryAfter: Duration? = nil, refreshesItself: Bool = true) {
        self.status = status
        self.explanation = explanation
        self.retryAfter = retryAfter
        self.refreshesItself = refreshesItself
    }

    /// Writes the whole response, or its head alone, as HEAD has it.
    /// - Parameters:
    ///   - closes: whether the client's connection ends with it.
    ///   - time: for the Date field.
    ///   - response: the bytes that it is added to.
    /// - Returns: the size of its body in bytes.
    @discardableResult
    func writeResponse(
        as format: Format, headOnly: Bool, closes: Bool, at time: Timestamp = .now, into response: inout [UInt8]
    ) -> Int {
        let body = format == .html ? html : json
        response += "HTTP/1.1 \(status) \(reason)\r\nDate: ".utf8
        time.write(.http, into: &response)
        response += "\r\nContent-Type: \(format == .html ? "text/html; charset=utf-8" : "application/json")".utf8
        response += "\r\nContent-Length: \(body.count)\r\nCache-Control: no-store".utf8
        response += "\r\nX-Content-Type-Options: nosniff".utf8
        if let retrySeconds { response += "\r\nRetry-After: \(retrySeconds)".utf8 }
        if let realm { response += "\r\nWWW-Authenticate: Basic realm=\"\(realm)\", charset=\"UTF-8\"".utf8 }
        // In so many words: to HTTP/1.0, saying nothing means close.
        response += "\r\nConnection: \(closes ? "close" : "keep-alive")\r\n\r\n".utf8
        guard !headOnly else { return 0 }
        response += body
        return body.count
    }

    /// `{"status":503,"error":"The app at localhost:8000 is not listening yet."}` and a newline.
    var json: [UInt8] {
        var body = Array("{\"status\":\(status),\"error\":".utf8)
        body.append(json: explanation.utf8)
        body += "}\n".utf8
        return body
    }

    /// In whole seconds, at least 1, so that nobody comes back too early or at once.
    var retrySeconds: Int? {
        guard let retryAfter else { return nil }
        let (seconds, attoseconds) = retryAfter.components
        return max(1, Int(seconds) + (attoseconds > 0 ? 1 : 0))
    }

    /// The status in words (RFC 9110 section 15, RFC 6585).
    var reason: String {
        switch status {
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 411: "Length Required"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 417: "Expectation Failed"
        case 421: "Misdirected Request"
        case 426: "Upgrade Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        default: status < 500 ? "Client Error" : "Server Error"
        }
    }
}

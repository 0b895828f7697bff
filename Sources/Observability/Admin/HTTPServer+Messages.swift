internal import HTTP1

extension HTTPServer {
    /// A client's request.
    public struct Request: Sendable {
        /// The path as sent, not decoded.
        public let path: String
        /// The query behind the path's question mark, not decoded; nil for none.
        public let query: String?
        /// The client's IP address as text. Of no meaning for a Unix socket.
        public let peer: String
        private let fields: [(name: String, value: String)]

        /// - Parameter bytes: those that the head was parsed from.
        init(_ head: RequestHead, _ bytes: [UInt8], from peer: String) {
            func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
            let target =
                switch head.target {
                case .origin(let range), .absolute(_, authority: _, pathAndQuery: let range): text(range)
                case .asterisk: "*"
                }
            let path = target.prefix { $0 != "?" }
            self.path = path.isEmpty ? "/" : String(path)
            query = path.endIndex == target.endIndex ? nil : String(target[path.endIndex...].dropFirst())
            fields = head.fields.map { (text($0.nameRange), text($0.valueRange)) }
            self.peer = peer
        }

        /// The value of a header field, whatever its case; several fields of the name are one list. Nil where there is none.
        public func field(_ name: String) -> String? {
            let values = fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
            return values.isEmpty ? nil : values.joined(separator: ", ")
        }
    }

    /// The response to a request.
    public struct Response: Sendable {
        public let status: Int
        public let contentType: String
        /// Header fields besides Content-Type and Content-Length.
        public let fields: [(name: String, value: String)]
        /// Left out where the client has only asked for the head.
        public let body: [UInt8]

        public init(
            status: Int = 200, contentType: String, fields: [(name: String, value: String)] = [], body: [UInt8]
        ) {
            self.status = status
            self.contentType = contentType
            self.fields = fields
            self.body = body
        }

        /// A sentence for people, which says why there is nothing else.
        init(_ status: Int, _ sentence: String, fields: [(name: String, value: String)] = []) {
            self.init(
                status: status, contentType: "text/plain; charset=utf-8", fields: fields,
                body: Array("\(sentence)\n".utf8)
            )
        }

        /// The head, up to its empty line.
        /// - Parameters:
        ///   - common: fields that every answer has.
        ///   - connection: what becomes of the connection; nil where that goes without saying.
        func head(_ common: [(name: String, value: String)], connection: String?) -> [UInt8] {
            var head: [UInt8] = []
            head.append("HTTP/1.1 \(status) \(Self.reason(of: status))\r\nDate: ")
            Timestamp.now.write(.http, into: &head)
            head.append("\r\nContent-Type: \(contentType)\r\nContent-Length: \(body.count)\r\n")
            for (name, value) in common + fields { head.append("\(name): \(value)\r\n") }
            if let connection { head.append("Connection: \(connection)\r\n") }
            head.append("\r\n")
            return head
        }

        private static func reason(of status: Int) -> String {
            switch status {
            case 200: "OK"
            case 400: "Bad Request"
            case 403: "Forbidden"
            case 404: "Not Found"
            case 405: "Method Not Allowed"
            case 414: "URI Too Long"
            case 417: "Expectation Failed"
            case 431: "Request Header Fields Too Large"
            case 500: "Internal Server Error"
            case 501: "Not Implemented"
            case 503: "Service Unavailable"
            case 505: "HTTP Version Not Supported"
            default: ""
            }
        }
    }

    /// Takes the response to a request, once; the client may be gone by then.
    ///
    /// Belongs to the loop's thread. One that is forgotten without an answer gives 500.
    public final class Responder {
        /// Nil once it was answered, or the client has gone.
        private weak var connection: Connection?

        init(_ connection: Connection) {
            self.connection = connection
        }

        deinit {
            answer(Response(500, "no answer"))
        }

        /// Gives the answer. Every further one is ignored.
        public func answer(_ response: Response) {
            guard let connection else { return }
            self.connection = nil
            connection.answer(response)
        }
    }
}

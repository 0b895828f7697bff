import Glibc

/// The request that is sent over and over, and how long its answer is.
struct HTTPRequest {
    let bytes: [UInt8]

    init(host: String, port: Int, path: String = "/", closes: Bool) {
        let connection = closes ? "Connection: close\r\n" : ""
        bytes = Array("GET \(path) HTTP/1.1\r\nHost: \(host):\(port)\r\n\(connection)\r\n".utf8)
    }

    /// Sends the request once on a connection of its own, and returns how many bytes its answer has. Every further
    /// answer is as long: the app gives the same one each time.
    func answerLength(host: String, port: Int) throws(LoadFailure) -> Int {
        let socket = try ClientSocket(host: host, port: port)
        socket.limitReceives(seconds: 5)
        try socket.send(bytes)
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = try ClientSocket.receive(socket.descriptor, into: &buffer)
            guard count > 0 else { throw LoadFailure("the connection ended before the answer did") }
            answer += buffer[..<count]
            if let length = HTTPRequest.length(of: answer), answer.count >= length { return length }
        }
    }

    /// The whole length of the answer that begins with `bytes`, once its head is there.
    static func length(of bytes: [UInt8]) -> Int? {
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.hasPrefix("HTTP/1.1 200"), let end = text.range(ofBlankLine: ()) else { return nil }
        for line in text[..<end].split(separator: "\r\n") {
            let parts = line.split(separator: ":")
            if parts.count == 2, parts[0].lowercased() == "content-length" {
                guard let length = Int(parts[1].drop { $0 == " " }) else { return nil }
                return text[..<end].utf8.count + length
            }
        }
        return nil
    }
}

extension String {
    /// The place behind the first blank line.
    fileprivate func range(ofBlankLine: Void) -> String.Index? {
        let blank = Array("\r\n\r\n".utf8)
        var index = utf8.startIndex
        while index < utf8.endIndex {
            if utf8[index...].starts(with: blank) { return utf8.index(index, offsetBy: blank.count) }
            index = utf8.index(after: index)
        }
        return nil
    }
}

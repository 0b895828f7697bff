import Glibc

/// Connections that stay open, each with at most one request on its way. Owns the descriptors.
final class KeptConnections {
    private(set) var descriptors: [Int32] = []
    private let request: HTTPRequest
    private let answerLength: Int
    /// How much of the answer is still to come, for each connection; 0 if no request is on its way.
    private var missing: [Int]
    private var buffer = [UInt8](repeating: 0, count: 16384)

    /// Opens them, one after the other, each with one request and its answer, so that the whole way is open.
    init(host: String, port: Int, path: String = "/", count: Int) throws(LoadFailure) {
        request = HTTPRequest(host: host, port: port, path: path, closes: false)
        answerLength = try request.answerLength(host: host, port: port)
        missing = Array(repeating: 0, count: count)
        for index in 0..<count {
            let socket = try ClientSocket(host: host, port: port)
            socket.limitReceives(seconds: 10)
            descriptors.append(socket.released())
            try send(index)
            while try !receive(index) {}
        }
    }

    deinit {
        for descriptor in descriptors { close(descriptor) }
    }

    /// Waits for all of them; the tags are their indices.
    func poller() throws(LoadFailure) -> Poller {
        let poller = try Poller(capacity: descriptors.count)
        for (index, descriptor) in descriptors.enumerated() { try poller.add(descriptor, tag: index) }
        return poller
    }

    /// Sends a request on a connection that has none on its way.
    func send(_ index: Int) throws(LoadFailure) {
        precondition(missing[index] == 0)
        missing[index] = answerLength
        try ClientSocket.send(request.bytes, to: descriptors[index])
    }

    /// Takes what has come. Returns whether the answer is complete.
    func receive(_ index: Int) throws(LoadFailure) -> Bool {
        let count = try ClientSocket.receive(descriptors[index], into: &buffer)
        guard count > 0 else { throw LoadFailure("connection \(index + 1) ended") }
        guard count <= missing[index] else { throw LoadFailure("an answer longer than the first one") }
        missing[index] -= count
        return missing[index] == 0
    }
}

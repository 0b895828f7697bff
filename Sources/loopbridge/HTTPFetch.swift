import Configuration
import EventLoop
import Network

/// One GET and its whole answer, for the program's own questions: to its admin port, and in the demo.
///
/// Belongs to its loop's thread; whoever drops it withdraws the question.
final class HTTPFetch {
    struct Answer {
        var status: Int
        var body: [UInt8]

        /// The body as a person reads it.
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    enum Failure: Error, CustomStringConvertible {
        case notConnected(SystemError)
        case cutOff(SystemError)
        /// The connection ended before a whole answer.
        case noAnswer
        case tooLate(Duration)
        case tooLarge

        var description: String {
            switch self {
            case .notConnected(let error): error.reason
            case .cutOff(let error): "the connection broke: \(error.reason)"
            case .noAnswer: "the connection was closed without a whole answer"
            case .tooLate(let limit): "nothing came within \(durationText(limit))"
            case .tooLarge: "the answer is too large"
            }
        }
    }

    typealias Completion = (Result<Answer, Failure>) -> Void

    private static let longestAnswer = 16 << 20

    private let loop: EventLoop
    private let address: SocketAddress
    private let request: [UInt8]
    private let limit: Duration
    private var completion: Completion?
    private var watched: WatchedSocket?
    private var timer: Deadline?
    private var hasAsked = false
    private var received: [UInt8] = []

    /// Asks at once; `completion` is called once, in a later turn of the loop.
    /// - Parameter limit: how long all of it may take.
    init(
        _ path: String, from address: SocketAddress, limit: Duration, on loop: EventLoop,
        completion: @escaping Completion
    ) {
        self.loop = loop
        self.address = address
        self.limit = limit
        self.completion = completion
        let host =
            switch address {
            case .ip: address.description
            case .unix: "localhost"
            }
        // In 1.0 the end of the connection is the end of the answer.
        request = Array("GET \(path) HTTP/1.0\r\nHost: \(host)\r\nConnection: close\r\n\r\n".utf8)
        do throws(SystemError) {
            let socket = try Socket(toReach: address)
            if case .failed(let code) = socket.connect(to: address) { throw SystemError("connect", code: code) }
            timer = try Deadline(on: loop) { [unowned self] _ in end(.failure(.tooLate(limit))) }
            timer?.schedule(after: limit)
            watched = try WatchedSocket(socket, on: loop)
            watched?.onReady = { [unowned self] _ in becameReady() }
        } catch {
            end(.failure(.notConnected(error)))
        }
    }

    /// Asks and waits for the answer.
    /// - Throws: what has kept it from coming.
    static func run(
        _ path: String, from address: SocketAddress, limit: Duration
    ) throws -> Result<Answer, Failure> {
        let loop = try EventLoop()
        var result = Result<Answer, Failure>.failure(.noAnswer)
        let fetch = HTTPFetch(path, from: address, limit: limit, on: loop) {
            result = $0
            loop.stop()
        }
        loop.run()
        withExtendedLifetime(fetch) {}
        return result
    }

    private func becameReady() {
        guard let watched else { return }
        if !hasAsked {
            switch watched.socket.connect(to: address) {
            case .inProgress: return
            case .failed(let code): return end(.failure(.notConnected(SystemError("connect", code: code))))
            case .connected: break
            }
            hasAsked = true
            // Some hundred bytes, which a new connection always takes.
            _ = request.withUnsafeBytes { watched.socket.send($0) }
        }
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            switch chunk.withUnsafeMutableBytes({ watched.socket.receive(into: $0) }) {
            case .moved(let count):
                received += chunk[..<count]
                if received.count > Self.longestAnswer { return end(.failure(.tooLarge)) }
            case .wouldBlock: return
            case .endOfStream: return end(answer.map { .success($0) } ?? .failure(.noAnswer))
            case .failed(let code): return end(.failure(.cutOff(SystemError("recv", code: code))))
            }
        }
    }

    private func end(_ result: Result<Answer, Failure>) {
        guard let completion else { return }
        self.completion = nil
        timer?.cancel()
        watched = nil
        // Whoever is called may drop us, and we are in the middle of something.
        loop.onNextTurn { completion(result) }
    }

    /// What was received, if it is a whole answer.
    private var answer: Answer? {
        let separator = Array("\r\n\r\n".utf8)
        guard let separatorRange = received.firstRange(of: separator) else { return nil }
        let lines = String(decoding: received[..<separatorRange.lowerBound], as: UTF8.self).split(separator: "\r\n")
        guard let first = lines.first, first.hasPrefix("HTTP/1."),
            let status = first.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { return nil }
        let body = Array(received[separatorRange.upperBound...])
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "content-length" else { continue }
            guard Int(parts[1].trimmingPrefix(while: \.isWhitespace)) == body.count else { return nil }
        }
        return Answer(status: status, body: body)
    }
}

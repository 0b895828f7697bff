import Configuration
import EventLoop
import Network

/// One GET and its whole response, for the program's own questions: to its admin port, and in the demo.
///
/// Belongs to its loop's thread; whoever drops it withdraws the question.
final class HTTPFetch {
    typealias Response = ResponseReader.Response

    enum Failure: Error, CustomStringConvertible {
        case notConnected(SystemError)
        case brokenOff(SystemError)
        case wrong(ResponseReader.Fault)
        case tooLate(Duration)

        var description: String {
            switch self {
            case .notConnected(let error): error.reason
            case .brokenOff(let error): "the connection broke: \(error.reason)"
            case .wrong(.truncated): "the connection was closed without a whole answer"
            case .wrong(.malformed(let sentence)): "the connection was closed without a whole answer: \(sentence)"
            case .wrong(.tooLarge): "the answer is too large"
            case .tooLate(let limit): "nothing came within \(durationText(limit))"
            }
        }
    }

    typealias Completion = (Result<Response, Failure>) -> Void

    private let loop: EventLoop
    private let address: SocketAddress
    private let request: [UInt8]
    private let limit: Duration
    private let completion: Completion
    private var hasEnded = false
    private var watched: WatchedSocket?
    private var timer: Deadline?
    private var hasAsked = false
    private var reader = ResponseReader()

    /// Asks at once; `completion` is called once, in a later turn of the loop, unless the question is withdrawn before.
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
        request = Array("GET \(path) HTTP/1.0\r\nHost: \(host)\r\nConnection: close\r\n\r\n".utf8)
        do throws(SystemError) {
            let socket = try Socket(toReach: address)
            if case .failed(let code) = socket.connect(to: address) { throw SystemError("connect", code: code) }
            // Our own timer and socket: both are silent once we are gone.
            timer = try Deadline(on: loop) { [unowned self] _ in end(.failure(.tooLate(limit))) }
            timer?.schedule(after: limit)
            watched = try WatchedSocket(socket, on: loop)
            watched?.onReady = { [unowned self] _ in becameReady() }
        } catch {
            end(.failure(.notConnected(error)))
        }
    }

    /// Asks and waits for the response.
    /// - Throws: ``SystemError`` where the process is out of descriptors or memory.
    static func run(
        _ path: String, from address: SocketAddress, limit: Duration
    ) throws -> Result<Response, Failure> {
        let loop = try EventLoop()
        var result = Result<Response, Failure>.failure(.wrong(.truncated))
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
        do throws(ResponseReader.Fault) {
            while true {
                switch chunk.withUnsafeMutableBytes({ watched.socket.receive(into: $0) }) {
                case .moved(let count):
                    if let response = try reader.add(chunk[..<count]) { return end(.success(response)) }
                case .wouldBlock: return
                case .endOfStream: return end(.success(try reader.end()))
                case .failed(let failure):
                    return end(.failure(.brokenOff(SystemError("recv", code: failure.code))))
                }
            }
        } catch {
            end(.failure(.wrong(error)))
        }
    }

    private func end(_ result: Result<Response, Failure>) {
        guard !hasEnded else { return }
        hasEnded = true
        timer?.cancel()
        watched = nil
        // The callee may drop us, so not from the middle of something; an owner that drops us before hears nothing.
        loop.onNextTurn { [weak self] in self?.completion(result) }
    }
}

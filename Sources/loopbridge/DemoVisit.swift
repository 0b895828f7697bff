import EventLoop
import Glibc
import Network

/// A visitor of the demo: one HTTP/1.0 request, and what came back.
enum DemoVisit {
    /// How long the visitor waits for anything.
    private static let limit = Duration.seconds(5)

    /// Asks for `/` and returns the answer's body, or what a person would see instead of it.
    static func fetch(_ address: SocketAddress) throws -> String {
        let socket = try Socket(toReach: address)
        let loop = try EventLoop()
        var received: [UInt8] = []
        var outcome: String?
        let timer = try Timer(on: loop) { loop.stop() }
        timer.schedule(after: limit)
        _ = socket.connect(to: address)
        let watched = try WatchedSocket(socket, on: loop)
        var hasAsked = false
        watched.onReady = { [unowned watched] _ in
            if !hasAsked {
                if case .failed(let code) = watched.socket.connect(to: address) {
                    outcome = "curl: (7) Failed to connect: \(SystemError("connect", code: code).reason)"
                    return loop.stop()
                }
                hasAsked = true
                Array("GET / HTTP/1.0\r\n\r\n".utf8).withUnsafeBytes { _ = watched.socket.send($0) }
            }
            var chunk = [UInt8](repeating: 0, count: 4096)
            while true {
                switch chunk.withUnsafeMutableBytes({ watched.socket.receive(into: $0) }) {
                case .moved(let count): received += chunk[..<count]
                case .wouldBlock: return
                case .endOfStream, .failed: return loop.stop()
                }
            }
        }
        loop.run()
        if let outcome { return outcome }
        let answer = String(decoding: received, as: UTF8.self)
        guard let head = answer.firstRange(of: "\r\n\r\n") else { return "curl: (52) Empty reply from server" }
        return answer[head.upperBound...].trimmingSuffix { $0.isNewline }
    }

    /// Waits until somebody accepts connections there.
    /// - Throws: ``DemoError/notBridged`` when nobody does in time.
    static func waitUntilListening(_ address: SocketAddress) throws {
        let start = MonotonicTime.now
        while MonotonicTime.now.since(start) < limit {
            let socket = try Socket(toReach: address)
            var result = socket.connect(to: address)
            if result == .inProgress { result = socket.connect(to: address) }
            if result == .connected { return }
            usleep(10_000)
        }
        throw DemoError.notBridged
    }
}

extension Substring {
    fileprivate func trimmingSuffix(while predicate: (Character) -> Bool) -> String {
        var text = self
        while let last = text.last, predicate(last) { text.removeLast() }
        return String(text)
    }
}

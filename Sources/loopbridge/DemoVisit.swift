import EventLoop
import Glibc
import Network

/// A visitor of the demo: one request, and what came back.
enum DemoVisit {
    /// The time limit for every step of the visitor.
    private static let limit = Duration.seconds(5)

    /// Asks for `/` and returns the response's body, or the message that a person would see instead of it.
    static func fetch(_ address: SocketAddress) throws -> String {
        switch try HTTPFetch.run("/", from: address, limit: limit) {
        case .success(let response): response.text.trimmingSuffix { $0.isNewline }
        case .failure(.notConnected(let error)): "curl: (7) Failed to connect: \(error.reason)"
        case .failure(.wrong(.truncated)): "curl: (52) Empty reply from server"
        case .failure(let failure): "curl: \(failure)"
        }
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

extension StringProtocol {
    fileprivate func trimmingSuffix(while predicate: (Character) -> Bool) -> String {
        var text = Substring(self)
        while let last = text.last, predicate(last) { text.removeLast() }
        return String(text)
    }
}

internal import EventLoop
internal import Glibc
public import Network

/// Asks a listener whether it is an inspector (`GET /json/version` of the DevTools protocol).
///
/// Only listeners are asked that may well be one: the question takes the place of a client in an app that serves one
/// connection at a time.
public enum InspectorQuestion {
    private static let limit = Duration.milliseconds(500)
    private static let request = Array(
        "GET /json/version HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
    private static let longestAnswer = 16 << 10

    /// Asks, and blocks for half a second at most: not for an event loop.
    public static func isInspector(at address: SocketAddress) -> Bool {
        guard let socket = try? Socket(toReach: address) else { return false }
        let end = MonotonicTime.now.advanced(by: limit)
        guard socket.connect(to: address) == .connected || wait(for: POLLOUT, on: socket, until: end),
            case .moved = request.withUnsafeBytes({ socket.send($0) })
        else { return false }
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4 << 10)
        while answer.count < longestAnswer {
            switch chunk.withUnsafeMutableBytes({ socket.receive(into: $0) }) {
            case .moved(let count): answer += chunk[..<count]
            case .wouldBlock: if !wait(for: POLLIN, on: socket, until: end) { return isInspectors(answer) }
            case .endOfStream, .failed: return isInspectors(answer)
            }
        }
        return isInspectors(answer)
    }

    /// Whether a response names a version of the DevTools protocol, as inspectors' responses do and no others.
    static func isInspectors(_ answer: [UInt8]) -> Bool {
        let text = String(decoding: answer, as: UTF8.self)
        return text.contains("\"Protocol-Version\"") || text.contains("\"webSocketDebuggerUrl\"")
    }

    private static func wait(for events: CInt, on socket: borrowing Socket, until end: MonotonicTime) -> Bool {
        let left = end.since(.now)
        guard left > .zero else { return false }
        var entry = pollfd(fd: socket.number, events: Int16(events), revents: 0)
        return poll(&entry, 1, CInt(left / .milliseconds(1)) + 1) > 0
    }
}

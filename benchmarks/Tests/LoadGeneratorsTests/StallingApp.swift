import Glibc
import Synchronization

/// An HTTP app with one connection at a time in each of its threads. It answers at once, except that one request has to
/// wait.
final class StallingApp: Sendable {
    let port: Int
    private let listener: Int32
    private let answered = Mutex(0)
    private let target = Mutex("")
    /// The threads that accept.
    private let serving = Mutex(4)

    /// - Parameters:
    ///   - stall: which request has to wait, counted from 0 over all connections.
    ///   - milliseconds: for how long.
    ///   - cut: which request gets no more than half of its answer.
    init(stall: Int, milliseconds: Int, cut: Int = -1) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                precondition(bind(listener, address, length) == 0 && listen(listener, 16) == 0)
                getsockname(listener, address, &length)
            }
        }
        port = Int(UInt16(bigEndian: address.sin_port))
        self.listener = listener
        for _ in 0..<serving.withLock({ $0 }) {
            Thread.start { [self] in serve(stall: stall, milliseconds: milliseconds, cut: cut) }
        }
    }

    /// Nobody can connect any more. The last thread closes the listener: its number may be another app's at once, whose
    /// clients a thread that still knows it would accept.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
    }

    private func threadEnded() {
        let left = serving.withLock { serving in
            serving -= 1
            return serving
        }
        if left == 0 { close(listener) }
    }

    var requests: Int { answered.withLock { $0 } }

    /// What the last request asked for.
    var lastTarget: String { target.withLock { $0 } }

    private func serve(stall: Int, milliseconds: Int, cut: Int) {
        let body = "hello\n"
        let answer = Array("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let connection = accept(listener, nil, nil)
            if connection < 0 { return threadEnded() }
            while true {
                let count = recv(connection, &buffer, buffer.count, 0)
                if count <= 0 { break }
                let number = answered.withLock { answered in
                    defer { answered += 1 }
                    return answered
                }
                if number == stall { usleep(UInt32(milliseconds) * 1000) }
                let request = String(decoding: buffer[..<count], as: UTF8.self)
                let words = request.split(separator: " ", maxSplits: 2)
                target.withLock { $0 = words.count > 1 ? String(words[1]) : "" }
                _ = send(connection, answer, number == cut ? answer.count / 2 : answer.count, Int32(MSG_NOSIGNAL))
                if request.contains("Connection: close") { break }
            }
            close(connection)
        }
    }
}

/// Threads without Foundation.
private enum Thread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    static func start(_ run: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let error = pthread_create(
            &thread, nil,
            { body in
                Unmanaged<Body>.fromOpaque(body!).takeRetainedValue().run()
                return nil
            }, Unmanaged.passRetained(Body(run)).toOpaque())
        precondition(error == 0)
        pthread_detach(thread)
    }
}

import CSystemCalls
import Dispatch
import EventLoop
import Glibc

/// What the streams of one iteration carry.
enum Load {
    /// This many bytes from the source to the sink, over all streams together.
    case bulk(Int)
    /// This many times, over all streams together, a message there and one of the same size back; each stream has one
    /// under way at a time.
    case exchanges(Int, messageSize: Int)
}

/// The two threads around a relay: a client that sends, and a server that takes or answers.
///
/// The sockets are closed when it is released, which must not be before ``waitUntilDone()``.
final class Peers: Sendable {
    private let clients: [CInt]
    private let servers: [CInt]
    private let load: Load
    private let start = DispatchSemaphore(value: 0)
    private let done = DispatchSemaphore(value: 0)
    private let bytesArrived = Guarded(0)

    /// Starts the threads, which wait for ``go()``.
    init(clients: [CInt], servers: [CInt], load: Load) throws {
        (self.clients, self.servers, self.load) = (clients, servers, load)
        try Thread.start(named: "client") { [self] in
            start.wait()
            switch load {
            case .bulk(let bytes): send(bytes / clients.count)
            case .exchanges(let count, let size): ask(count / clients.count, messageSize: size)
            }
            done.signal()
        }
        try Thread.start(named: "server") { [self] in
            start.wait()
            receive()
            done.signal()
        }
    }

    deinit {
        for socket in clients + servers { close(socket) }
    }

    /// Lets the threads begin.
    func go() {
        start.signal()
        start.signal()
    }

    /// Waits for the threads' ends.
    /// - Returns: whether every byte has arrived.
    func waitUntilDone() -> Bool {
        done.wait()
        done.wait()
        let expected =
            switch load {
            case .bulk(let bytes): bytes / clients.count * clients.count
            case .exchanges(let count, let size): count / clients.count * clients.count * size
            }
        return bytesArrived.withLock { $0 } == expected
    }

    /// What one call sends or receives, as iperf3 does.
    private static let chunkSize = 128 << 10
    /// How many chunks one socket moves before the others' turn.
    private static let chunksATurn = 8

    private func send(_ bytesEach: Int) {
        let chunk = [UInt8](repeating: 0x5A, count: Self.chunkSize)
        var left = [Int](repeating: bytesEach, count: clients.count)
        poll(clients, for: EPOLLOUT.rawValue) { number, socket in
            for _ in 0..<Self.chunksATurn where left[number] > 0 {
                let sent = Glibc.send(socket, chunk, min(chunk.count, left[number]), CInt(MSG_NOSIGNAL))
                guard sent > 0 else { break }
                left[number] -= sent
            }
            guard left[number] == 0 else { return true }
            shutdown(socket, CInt(SHUT_WR))
            return false
        }
    }

    private func ask(_ countEach: Int, messageSize: Int) {
        var message = [UInt8](repeating: 0x5A, count: messageSize)
        var left = [Int](repeating: countEach, count: clients.count)
        var missing = [Int](repeating: messageSize, count: clients.count)
        for socket in clients { _ = Glibc.send(socket, message, messageSize, CInt(MSG_NOSIGNAL)) }
        poll(clients, for: EPOLLIN.rawValue) { number, socket in
            let received = recv(socket, &message, missing[number], 0)
            missing[number] -= max(received, 0)
            guard missing[number] == 0 else { return true }
            missing[number] = messageSize
            left[number] -= 1
            if left[number] > 0 {
                _ = Glibc.send(socket, message, messageSize, CInt(MSG_NOSIGNAL))
                return true
            }
            shutdown(socket, CInt(SHUT_WR))
            return false
        }
    }

    /// Takes everything to the end of each stream, and sends it back where messages are answered.
    private func receive() {
        var chunk = [UInt8](repeating: 0, count: Self.chunkSize)
        var arrived = 0
        let answers =
            switch load {
            case .bulk: false
            case .exchanges: true
            }
        poll(servers, for: EPOLLIN.rawValue) { _, socket in
            for _ in 0..<Self.chunksATurn {
                let received = recv(socket, &chunk, chunk.count, 0)
                if received == 0 {
                    shutdown(socket, CInt(SHUT_WR))
                    return false
                }
                guard received > 0 else { break }
                arrived += received
                if answers { _ = Glibc.send(socket, chunk, received, CInt(MSG_NOSIGNAL)) }
                if received < chunk.count { break }
            }
            return true
        }
        bytesArrived.withLock { $0 = arrived }
    }

    /// Calls `handler` with the sockets that are ready until it has returned false for each of them.
    private func poll(_ sockets: [CInt], for events: UInt32, handler: (_ number: Int, _ socket: CInt) -> Bool) {
        let epoll = epoll_create1(0)
        defer { close(epoll) }
        for (number, socket) in sockets.enumerated() {
            var event = epoll_event()
            event.events = events
            event.data.u64 = UInt64(number)
            epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event)
        }
        var left = sockets.count
        var ready = [epoll_event](repeating: epoll_event(), count: sockets.count)
        while left > 0 {
            let count = epoll_wait(epoll, &ready, CInt(ready.count), -1)
            for event in ready[..<max(Int(count), 0)] {
                let number = Int(event.data.u64)
                if !handler(number, sockets[number]) {
                    epoll_ctl(epoll, EPOLL_CTL_DEL, sockets[number], nil)
                    left -= 1
                }
            }
        }
    }
}

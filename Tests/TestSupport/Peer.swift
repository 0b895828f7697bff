public import EventLoop
internal import Glibc
public import Network

/// The far end of a connection in a test: it collects what arrives, and sends what it is given, without a loop.
public final class Peer {
    private var socket: Socket?
    /// Everything that has arrived so far.
    public private(set) var received: [UInt8] = []
    /// How the stream ended, once it has: 0 for a clean end, otherwise an errno.
    public private(set) var end: CInt?

    public init(_ socket: consuming Socket) {
        self.socket = consume socket
    }

    /// Two peers that are connected to each other by TCP over loopback.
    public static func pair() throws -> (Peer, Peer) {
        let (one, other) = try sockets()
        return (Peer(one.take()!), Peer(other.take()!))
    }

    /// A peer and the watched socket at its other end, connected by TCP over loopback.
    /// - Parameter layer: between the watched socket and the kernel.
    public static func watched(on loop: EventLoop, through layer: SocketLayer? = nil) throws -> (Peer, WatchedSocket) {
        let (one, other) = try sockets()
        let peer = Peer(one.take()!)
        guard let layer else { return (peer, try WatchedSocket(other.take()!, on: loop)) }
        return (peer, try WatchedSocket(other.take()!.through(layer), on: loop))
    }

    /// The two ends of a connection by TCP over loopback.
    public static func sockets() throws -> (Handoff<Socket>, Handoff<Socket>) {
        let listener = try ListeningSocket(on: .ip(.loopbackV4, port: 0))
        let address = listener.localAddress!
        let client = try Socket(toReach: address)
        limitBuffers(of: client.number)
        while client.connect(to: address) == .inProgress {}
        while true {
            if case .accepted(let server, from: _) = listener.accept() {
                limitBuffers(of: server.number)
                return (Handoff(client), Handoff(server))
            }
        }
    }

    /// The kernel would let them grow to tens of MiB, of which a test would have to fill every one.
    private static func limitBuffers(of socket: CInt) {
        for option in [SO_SNDBUF, SO_RCVBUF] {
            var size: CInt = 1 << 20
            setsockopt(socket, SOL_SOCKET, option, &size, socklen_t(MemoryLayout<CInt>.size))
        }
    }

    /// Takes in what has arrived, at most `limit` bytes of it.
    public func read(atMost limit: Int = .max) {
        var left = limit
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while end == nil, left > 0, socket != nil {
            let result = chunk.withUnsafeMutableBytes { bytes in
                socket!.receive(into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<min(left, bytes.count)]))
            }
            switch result {
            case .moved(let count):
                received += chunk[..<count]
                left -= count
            case .wouldBlock: return
            case .endOfStream: end = 0
            case .failed(let failure): end = failure.code
            }
        }
    }

    /// Sends as much as the kernel takes.
    /// - Returns: how many bytes that was.
    public func send(_ bytes: some Sequence<UInt8>) -> Int {
        var sent = 0
        let bytes = Array(bytes)
        while sent < bytes.count, socket != nil {
            let result = bytes[sent...].withUnsafeBytes { socket!.send($0) }
            guard case .moved(let count) = result else { return sent }
            sent += count
        }
        return sent
    }

    /// How many bytes were sent that the other end's kernel has not acknowledged.
    public var unacknowledged: Int { socket?.undeliveredBytes ?? 0 }

    /// Sends one byte out of band (MSG_OOB, tcp(7)).
    /// - Returns: whether the kernel took it.
    public func sendUrgently(_ byte: UInt8) -> Bool {
        var byte = byte
        guard let number = socket?.number else { return false }
        return Glibc.send(number, &byte, 1, CInt(MSG_OOB)) == 1
    }

    /// Sends a FIN and goes on reading.
    public func finishSending() { socket?.finishSending() }

    /// Closes with a FIN, or with a reset where data was left unread.
    public func close() { socket = nil }

    /// Closes with a reset.
    public func reset() {
        socket?.resetWhenClosed()
        socket = nil
    }
}

import Glibc

/// A TCP connection of a load generator. Owns its descriptor and closes it.
struct ClientSocket: ~Copyable {
    let descriptor: Int32

    /// Connects, and waits for that.
    /// - Parameters:
    ///   - host: an IPv4 address.
    ///   - port: 1 to 65535.
    init(host: String, port: Int) throws(LoadFailure) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .system("no socket") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else {
            close(descriptor)
            throw LoadFailure("\(host) is no IPv4 address")
        }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            let failure = LoadFailure.system("cannot connect to \(host):\(port)")
            close(descriptor)
            throw failure
        }
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    /// The descriptor, which is the caller's to close from now on.
    consuming func released() -> Int32 {
        let descriptor = descriptor
        discard self
        return descriptor
    }

    /// Sends all of a small message.
    func send(_ message: [UInt8]) throws(LoadFailure) {
        try ClientSocket.send(message, to: descriptor)
    }

    /// As `send`, on a descriptor that somebody else owns.
    static func send(_ message: [UInt8], to descriptor: Int32) throws(LoadFailure) {
        let sent = Glibc.send(descriptor, message, message.count, Int32(MSG_NOSIGNAL))
        guard sent == message.count else { throw sent < 0 ? .system("send") : LoadFailure("a short send") }
    }

    /// How many bytes came into `buffer`; 0 at the end.
    static func receive(_ descriptor: Int32, into buffer: inout [UInt8]) throws(LoadFailure) -> Int {
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count >= 0 { return count }
            if errno != EINTR { throw .system("recv") }
        }
    }

    /// Fails a receive that takes longer.
    func limitReceives(seconds: Int) {
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }
}

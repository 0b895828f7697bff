import Glibc

/// Tries to connect and get an answer, again and again, until the first byte of one has come.
public struct FirstByteProbe {
    /// Where the proxy will listen, an IPv4 address.
    public var host: String
    public var port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// When the first byte came, in nanoseconds of the monotonic clock.
    /// - Throws: after `seconds` without one.
    public func run(seconds: Int) throws -> UInt64 {
        let request = HTTPRequest(host: host, port: port, closes: true)
        let end = Clock.now + UInt64(seconds) * 1_000_000_000
        var buffer = [UInt8](repeating: 0, count: 4096)
        var last = "nothing was tried"
        while Clock.now < end {
            do {
                let socket = try ClientSocket(host: host, port: port)
                socket.limitReceives(seconds: 2)
                try socket.send(request.bytes)
                if try ClientSocket.receive(socket.descriptor, into: &buffer) > 0 { return Clock.now }
                last = "the connection ended without an answer"
            } catch {
                last = "\(error)"
            }
            // Often enough to add next to nothing, and seldom enough to leave the proxy the processor.
            usleep(50)
        }
        throw LoadFailure("no answer in \(seconds) s: \(last)")
    }
}

import Glibc

/// The app behind a proxy of datagrams: it sends each back to where it came from, until the process ends.
public struct DatagramEcho {
    /// Where it listens, an IPv4 address.
    public var host: String
    public var port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Does not return but to throw.
    public func run() throws {
        let socket = try DatagramSocket(boundTo: host, port: port)
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var sender = sockaddr_in()
        while true {
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutablePointer(to: &sender) { sender in
                sender.withMemoryRebound(to: sockaddr.self, capacity: 1) { sender in
                    let count = recvfrom(socket.descriptor, &buffer, buffer.count, 0, sender, &length)
                    // That a client's kernel has refused an answer is told here, and no reason to end.
                    if count >= 0 { _ = sendto(socket.descriptor, buffer, count, 0, sender, length) }
                }
            }
        }
    }
}

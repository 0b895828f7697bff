import Glibc

/// The app behind a proxy of datagrams: it sends each back to where it came from, until the process ends.
public final class DatagramEcho: Sendable {
    private let socket: DatagramSocket
    /// Where it listens.
    public let port: Int

    /// - Parameters:
    ///   - host: an IPv4 address.
    ///   - port: 0 leaves it to the kernel.
    public init(host: String, port: Int) throws {
        socket = try DatagramSocket(boundTo: host, port: port)
        self.port = socket.port
    }

    /// Does not return.
    public func run() -> Never {
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

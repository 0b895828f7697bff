import Glibc

/// A UDP socket of a load generator. Owns its descriptor and closes it.
struct DatagramSocket: ~Copyable, Sendable {
    let descriptor: Int32

    /// One that speaks with an IPv4 address only.
    init(connectedTo host: String, port: Int) throws(LoadFailure) {
        self.descriptor = try Self.open(host, port, connect)
    }

    /// One to which everybody may write.
    init(boundTo host: String, port: Int) throws(LoadFailure) {
        self.descriptor = try Self.open(host, port, bind)
        // It must not be the app that loses anything.
        var size: Int32 = 8 << 20
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func open(
        _ host: String, _ port: Int, _ use: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws(LoadFailure) -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
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
                use(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            let failure = LoadFailure.system("\(host):\(port)")
            close(descriptor)
            throw failure
        }
        return descriptor
    }

    /// Its own.
    var port: Int {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(descriptor, $0, &length) }
        }
        return Int(UInt16(bigEndian: address.sin_port))
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
}

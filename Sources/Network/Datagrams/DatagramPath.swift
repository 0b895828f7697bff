internal import CLinux
internal import Glibc

/// Between whom a datagram travels: the client's address and port, and the address of ours that it has written to.
///
/// As the kernel has it, for it is made anew with every datagram; it is compared and hashed as numbers.
public struct DatagramPath: Hashable, Sendable {
    /// A sockaddr_in, or a sockaddr_in6, with zeros behind.
    let client: InlineName
    /// The socket's address that was written to, where it has several; otherwise zeros.
    let local: Local

    struct InlineName: Hashable, Sendable {
        let first: UInt64
        let second: UInt64
        let third: UInt64
        let fourth: UInt64
    }

    struct Local: Hashable, Sendable {
        let first: UInt64
        let second: UInt64
        let interface: UInt32
    }

    /// The bytes of the client's name, which are a multiple of the words'.
    static let nameSpace = 32

    /// The client's address and port.
    public var clientAddress: SocketAddress? {
        SocketAddress.fromKernelForm { storage, length in
            withUnsafeBytes(of: client) { bytes in
                UnsafeMutableRawPointer(storage).copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
            }
            length.pointee = socklen_t(MemoryLayout<sockaddr_in6>.size)
            return 0
        }.address
    }
}

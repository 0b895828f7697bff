internal import CLinux
internal import Glibc

/// Room for the datagrams that one call receives (recvmmsg(2)), used over and over.
///
/// Each has room for the longest one that there can be, so that none is ever cut off. The memory is taken from the system
/// as it is used: short datagrams touch one page each.
public final class DatagramBatch {
    /// The number of datagrams that there is room for.
    public static let capacity = 64

    /// One that has been received, or several of one size that came as one.
    public struct Received {
        /// Valid until ``DatagramBatch/clear()``.
        public let bytes: UnsafeRawBufferPointer
        /// The length of each datagram in `bytes`, the last one at the most; 0 where it is one.
        public let segment: Int

        /// The number of datagrams in it.
        public var count: Int { segment == 0 ? 1 : (bytes.count + segment - 1) / segment }
    }

    /// The outcome of a call.
    public enum Result: Equatable, Sendable {
        /// So many are there now that were not there before; at least one.
        case received(Int)
        case nothing
        /// Failed with this errno, which may tell of a datagram that was sent earlier (ECONNREFUSED).
        case failed(CInt)
    }

    private static let bytesEach = 65_536

    /// The number of datagrams in it.
    public private(set) var count = 0
    private let datagrams: UnsafeMutablePointer<clinux_datagram>
    private let vectors: UnsafeMutablePointer<iovec>
    private let names: UnsafeMutableRawPointer
    private let notes: UnsafeMutableRawPointer
    private let bytes: UnsafeMutableRawPointer

    public init() {
        let capacity = Self.capacity
        datagrams = .allocate(capacity: capacity)
        vectors = .allocate(capacity: capacity)
        names = .allocate(byteCount: capacity * DatagramPath.nameSpace, alignment: 8)
        // What the kernel does not write of a name stays zero.
        names.initializeMemory(as: UInt8.self, repeating: 0, count: capacity * DatagramPath.nameSpace)
        notes = .allocate(byteCount: capacity * Int(clinux_notes_space), alignment: 8)
        bytes = .allocate(byteCount: capacity * Self.bytesEach, alignment: 4096)
        for slot in 0..<capacity {
            vectors[slot] = iovec(iov_base: bytes + slot * Self.bytesEach, iov_len: Self.bytesEach)
            var datagram = clinux_datagram()
            datagram.header.msg_iov = vectors + slot
            datagram.header.msg_iovlen = 1
            (datagrams + slot).initialize(to: datagram)
        }
    }

    deinit {
        datagrams.deallocate()
        vectors.deallocate()
        names.deallocate()
        notes.deallocate()
        bytes.deallocate()
    }

    /// The number of datagrams that there is still room for.
    public var room: Int { Self.capacity - count }

    /// Forgets what is there.
    public func clear() { count = 0 }

    /// Receives what has arrived, behind what is there, at most `limit` datagrams and no more than there is room for.
    public func receive(from socket: borrowing DatagramSocket, limit: Int) -> Result {
        let limit = min(limit, room)
        for slot in count..<count + limit {
            // The kernel has left in these how much it has used.
            datagrams[slot].header.msg_name = names + slot * DatagramPath.nameSpace
            datagrams[slot].header.msg_namelen = socklen_t(DatagramPath.nameSpace)
            datagrams[slot].header.msg_control = notes + slot * Int(clinux_notes_space)
            datagrams[slot].header.msg_controllen = Int(clinux_notes_space)
        }
        while true {
            let received = clinux_recvmmsg(socket.number, datagrams + count, UInt32(limit))
            if received > 0 {
                count += Int(received)
                return .received(Int(received))
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .nothing
            case let code: return .failed(code)
            }
        }
    }

    /// What was received.
    public subscript(index: Int) -> Received {
        let datagram = datagrams + index
        let length = Int(datagram.pointee.length)
        let segment =
            datagram.pointee.header.msg_controllen == 0 ? 0 : Int(clinux_read_notes(&datagram.pointee.header).segment)
        return Received(
            bytes: UnsafeRawBufferPointer(start: bytes + index * Self.bytesEach, count: length),
            segment: segment < length ? segment : 0)
    }

    /// Whether there was more of it than fits, which is the case with none that IP can carry.
    public func isCutOff(_ index: Int) -> Bool {
        datagrams[index].header.msg_flags & CInt(MSG_TRUNC) != 0
    }

    /// Between whom it travels, where it came from a socket that anybody may write to.
    public func path(of index: Int) -> DatagramPath {
        let name = (names + index * DatagramPath.nameSpace).assumingMemoryBound(to: UInt64.self)
        let datagram = datagrams + index
        let isV4 = datagram.pointee.header.msg_namelen <= socklen_t(MemoryLayout<sockaddr_in>.size)
        // The slot may have had a longer name before.
        let client = DatagramPath.InlineName(
            first: name[0], second: name[1], third: isV4 ? 0 : name[2], fourth: isV4 ? 0 : name[3] & Self.lastWordMask)
        guard datagram.pointee.header.msg_controllen > 0 else {
            return DatagramPath(client: client, local: DatagramPath.Local(first: 0, second: 0, interface: 0))
        }
        let notes = clinux_read_notes(&datagram.pointee.header)
        return DatagramPath(
            client: client,
            local: DatagramPath.Local(first: notes.local.0, second: notes.local.1, interface: notes.interface))
    }

    /// A sockaddr_in6 ends in the middle of the fourth word.
    private static let lastWordMask = UInt64(littleEndian: 0xFFFF_FFFF)
}

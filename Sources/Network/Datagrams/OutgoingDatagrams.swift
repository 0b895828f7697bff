internal import CLinux
internal import Glibc

/// Datagrams that one call is to send (sendmmsg(2)), used over and over.
///
/// Neighbours of one size to one receiver leave as one large one, which the kernel takes apart behind most of its work
/// (UDP_SEGMENT, udp(7)): the receiver gets what it would have got. The bytes stay where they are, and must stay there until
/// ``send(on:)``.
public final class OutgoingDatagrams {
    /// The number that can wait: as many as a ``DatagramBatch`` has room for.
    public static let capacity = DatagramBatch.capacity

    /// The outcome of sending.
    public struct Outcome: Equatable, Sendable {
        public var datagrams = 0
        public var bytes = 0
        /// Datagrams that the system has refused.
        public var lost = 0
        /// Why, the last time.
        public var error: CInt = 0
        /// The number of those appended last that were not tried any more.
        public var untried = 0

        public init() {}
    }

    /// One message to the kernel.
    private struct Message {
        /// The index of its first piece.
        var firstPiece: Int
        var pieces = 1
        var bytes: Int
        var datagrams: Int
        /// The length of each datagram, the last one at the most.
        var segment: Int
        /// The last datagram is as long as the others, so that more of them may follow.
        var isOpen: Bool
    }

    private let headers: UnsafeMutablePointer<clinux_datagram>
    private let vectors: UnsafeMutablePointer<iovec>
    private let names: UnsafeMutableRawPointer
    private let notes: UnsafeMutableRawPointer
    private var messages: [Message] = []
    private var paths: [DatagramPath?] = []
    private var pieces = 0
    /// The kernel takes nothing apart for us: it is too old, or the way leads over something that does not suit it.
    private var isSegmentingRefused = false

    /// The kernel takes no more in a message (UDP_MAX_SEGMENTS; newer kernels take 128).
    private static let mostSegments = 64
    /// A message is one datagram of IP until it is taken apart.
    private static let mostBytes = 65_000

    public init() {
        let capacity = Self.capacity
        headers = .allocate(capacity: capacity)
        headers.initialize(repeating: clinux_datagram(), count: capacity)
        vectors = .allocate(capacity: capacity)
        names = .allocate(byteCount: capacity * DatagramPath.nameSpace, alignment: 8)
        notes = .allocate(byteCount: capacity * Int(clinux_notes_space), alignment: 8)
        messages.reserveCapacity(capacity)
        paths.reserveCapacity(capacity)
    }

    deinit {
        headers.deallocate()
        vectors.deallocate()
        names.deallocate()
        notes.deallocate()
    }

    public var isEmpty: Bool { messages.isEmpty }

    /// Adds what was received, which may be several datagrams of one size. There must be room.
    /// - Parameter path: whom to send it to, and from which address; nil where the socket is connected.
    public func append(_ received: DatagramBatch.Received, to path: DatagramPath?) {
        let length = received.bytes.count
        vectors[pieces] = iovec(
            iov_base: UnsafeMutableRawPointer(mutating: received.bytes.baseAddress), iov_len: length)
        pieces += 1
        let segment = received.segment == 0 ? length : received.segment
        if let last = messages.indices.last, joins(received, segment, messages[last]), paths[last] == path {
            messages[last].pieces += 1
            messages[last].bytes += length
            messages[last].datagrams += received.count
            messages[last].isOpen = length % messages[last].segment == 0
            return
        }
        messages.append(
            Message(
                firstPiece: pieces - 1, bytes: length, datagrams: received.count, segment: segment,
                isOpen: segment > 0 && length % segment == 0))
        paths.append(path)
    }

    private func joins(_ received: DatagramBatch.Received, _ segment: Int, _ message: Message) -> Bool {
        message.isOpen && !isSegmentingRefused && segment > 0
            // A single one may be shorter, as the last.
            && (segment == message.segment || (received.segment == 0 && segment < message.segment))
            && message.datagrams + received.count <= Self.mostSegments
            && message.bytes + received.bytes.count <= Self.mostBytes
    }

    /// Sends everything, in order. What the system refuses is lost, as a datagram may be, and not tried again.
    /// - Parameter isRefusalAnEnd: whether nothing more is tried once the receiver's kernel has been heard to refuse, which
    ///   is told instead of sending.
    public func send(on socket: borrowing DatagramSocket, isRefusalAnEnd: Bool = false) -> Outcome {
        var outcome = Outcome()
        prepare(family: socket.family)
        var next = 0
        while next < messages.count {
            let sent = clinux_sendmmsg(socket.number, headers + next, UInt32(messages.count - next))
            if sent > 0 {
                for message in messages[next..<next + Int(sent)] {
                    outcome.datagrams += message.datagrams
                    outcome.bytes += message.bytes
                }
                next += Int(sent)
                continue
            }
            let code = errno
            if code == EINTR { continue }
            if isRefusalAnEnd, code == ECONNREFUSED {
                outcome.error = code
                outcome.untried = pieces - messages[next].firstPiece
                break
            }
            if messages[next].datagrams > 1 {
                // Not the only reasons, but those that a smaller message would not meet (udp(7)).
                if code == EIO || code == EINVAL { isSegmentingRefused = true }
                sendOneByOne(messages[next], header: headers[next].header, on: socket, &outcome)
            } else {
                outcome.lost += 1
                outcome.error = code
            }
            next += 1
        }
        messages.removeAll(keepingCapacity: true)
        paths.removeAll(keepingCapacity: true)
        pieces = 0
        return outcome
    }

    private func prepare(family: CInt) {
        for index in messages.indices {
            let message = messages[index]
            var header = msghdr()
            header.msg_iov = vectors + message.firstPiece
            header.msg_iovlen = message.pieces
            var note = clinux_notes()
            if let path = paths[index] {
                header.msg_name = names + index * DatagramPath.nameSpace
                header.msg_namelen = socklen_t(
                    family == AF_INET ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size)
                header.msg_name.storeBytes(of: path.client, as: DatagramPath.InlineName.self)
                note.local = (path.local.first, path.local.second)
                note.interface = path.local.interface
            }
            if message.datagrams > 1 { note.segment = UInt16(message.segment) }
            if note.local.0 | note.local.1 != 0 || note.segment > 0 {
                header.msg_control = notes + index * Int(clinux_notes_space)
                clinux_write_notes(&header, family, note)
            }
            headers[index].header = header
        }
    }

    /// Sends the datagrams of one message each by itself.
    private func sendOneByOne(
        _ message: Message, header: msghdr, on socket: borrowing DatagramSocket, _ outcome: inout Outcome
    ) {
        for piece in message.firstPiece..<message.firstPiece + message.pieces {
            var rest = UnsafeRawBufferPointer(start: vectors[piece].iov_base, count: vectors[piece].iov_len)
            while !rest.isEmpty {
                let length = min(rest.count, message.segment)
                if send(UnsafeRawBufferPointer(rebasing: rest[..<length]), header, on: socket) {
                    outcome.datagrams += 1
                    outcome.bytes += length
                } else {
                    outcome.lost += 1
                    outcome.error = errno
                }
                rest = UnsafeRawBufferPointer(rebasing: rest[length...])
            }
        }
    }

    private func send(
        _ bytes: UnsafeRawBufferPointer, _ large: msghdr, on socket: borrowing DatagramSocket
    ) -> Bool {
        var piece = iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
        return withUnsafeMutablePointer(to: &piece) { piece in
            var header = large
            header.msg_iov = piece
            header.msg_iovlen = 1
            // The note about the segments stands last.
            header.msg_controllen -= clinux_segment_note_space()
            if header.msg_controllen == 0 { header.msg_control = nil }
            while true {
                if sendmsg(socket.number, &header, CInt(MSG_NOSIGNAL | MSG_DONTWAIT)) >= 0 {
                    return true
                }
                if errno != EINTR { return false }
            }
        }
    }
}

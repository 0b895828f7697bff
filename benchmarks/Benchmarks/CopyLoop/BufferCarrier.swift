import Glibc

/// A buffer that all directions of a relay share: it holds nothing between two calls.
final class ScratchBuffer {
    let bytes: UnsafeMutableRawBufferPointer

    init(size: Int) {
        bytes = .allocate(byteCount: size, alignment: 4096)
        // The pages are there before anything is measured.
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit { bytes.deallocate() }
}

/// recv(2) into a shared buffer, send(2) from it; what is not taken is parked in memory of its own.
struct BufferCarrier: Carrier {
    private let buffer: ScratchBuffer
    private var parked: [UInt8] = []
    private var parkedSent = 0

    init(through buffer: ScratchBuffer) {
        self.buffer = buffer
    }

    var isWaitingForSink: Bool { parkedSent < parked.count }

    mutating func carry(from source: CInt, to sink: CInt, endIsNear: Bool) -> CarrierOutcome {
        guard unpark(to: sink) else { return .sinkIsFull }
        var moved = 0
        while moved < turnBytes {
            let received = recv(source, buffer.bytes.baseAddress, buffer.bytes.count, 0)
            if received == 0 { return .ended }
            guard received > 0 else {
                precondition(errno == EAGAIN, "recv failed with errno \(errno)")
                return .sourceIsEmpty
            }
            let sent = Self.send(sink, UnsafeRawBufferPointer(rebasing: buffer.bytes[..<received]))
            if sent < received {
                parked = Array(buffer.bytes[sent..<received])
                parkedSent = 0
                return .sinkIsFull
            }
            // A short receive has emptied the socket; whatever comes later raises an event.
            if received < buffer.bytes.count, !endIsNear { return .sourceIsEmpty }
            moved += received
        }
        return .yielded
    }

    private mutating func unpark(to sink: CInt) -> Bool {
        guard isWaitingForSink else { return true }
        parkedSent += parked.withUnsafeBytes {
            Self.send(sink, UnsafeRawBufferPointer(rebasing: $0[parkedSent...]))
        }
        guard parkedSent == parked.count else { return false }
        parked = []
        parkedSent = 0
        return true
    }

    private static func send(_ sink: CInt, _ bytes: UnsafeRawBufferPointer) -> Int {
        let sent = Glibc.send(sink, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL))
        precondition(sent >= 0 || errno == EAGAIN, "send failed with errno \(errno)")
        return max(sent, 0)
    }
}

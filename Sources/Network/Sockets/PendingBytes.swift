internal import CLinux
internal import Glibc

/// Bytes that wait until somebody takes them, in a block of memory of exactly their size, which goes with the last reference.
public final class PendingBytes {
    private let block: UnsafeMutableRawPointer
    /// The size of the block, in bytes. It stays the same until all of it is given back.
    public let capacity: Int
    private var start = 0

    /// Copies the bytes, and those behind them.
    /// - Returns: nil where there is no memory for them.
    public init?(
        copying bytes: UnsafeRawBufferPointer,
        _ rest: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
    ) {
        capacity = bytes.count + rest.count
        guard let block = clinux_allocate_block(max(capacity, 1)) else { return nil }
        self.block = block
        if let first = bytes.baseAddress { block.copyMemory(from: first, byteCount: bytes.count) }
        if let second = rest.baseAddress { (block + bytes.count).copyMemory(from: second, byteCount: rest.count) }
    }

    deinit { free(block) }

    /// The bytes that nobody has taken yet, valid while the object lives.
    public var remaining: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: block + start, count: capacity - start)
    }

    /// Leaves out bytes that somebody has taken.
    public func removeFirst(_ count: Int) { start += count }
}

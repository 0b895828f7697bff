/// Bytes that were received and that the other side has not taken yet.
///
/// They live in a block of memory of exactly their size, which is given back with the last reference.
final class ParkedBytes {
    private let block: UnsafeMutableRawBufferPointer
    private var start = 0

    /// Copies the bytes, and those behind them; there must be at least one.
    init(
        copying bytes: UnsafeRawBufferPointer,
        _ rest: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
    ) {
        block = .allocate(byteCount: bytes.count + rest.count, alignment: 1)
        block.copyMemory(from: bytes)
        UnsafeMutableRawBufferPointer(rebasing: block[bytes.count...]).copyMemory(from: rest)
    }

    deinit {
        block.deallocate()
    }

    /// The size of the memory behind the bytes, which stays the same until all of it is given back.
    var capacity: Int { block.count }

    /// What is left to be sent, valid while the object lives.
    var remaining: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: block[start...])
    }

    /// Leaves out what has been sent.
    func removeFirst(_ count: Int) {
        start += count
    }
}

/// Bytes that wait in a block of memory of exactly their size.
final class HeldBytes {
    private let block: UnsafeMutableRawBufferPointer
    private var start = 0

    /// Copies the bytes, and those behind them.
    init(
        copying bytes: UnsafeRawBufferPointer,
        _ rest: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
    ) {
        block = .allocate(byteCount: bytes.count + rest.count, alignment: 1)
        block.copyMemory(from: bytes)
        UnsafeMutableRawBufferPointer(rebasing: block[bytes.count...]).copyMemory(from: rest)
    }

    deinit { block.deallocate() }

    /// What is left, valid while the object lives.
    var remaining: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: block[start...]) }

    func removeFirst(_ count: Int) { start += count }
}

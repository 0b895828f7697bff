/// Reading and writing of arrays, for those who have few bytes and no buffers of their own.
extension Socket {
    private static var piece: Int { 4 << 10 }

    /// Reads what has arrived, at most 4 KiB.
    /// - Parameter bytes: gets it at its end.
    public func receive(appendingTo bytes: inout [UInt8]) -> TransferResult {
        withUnsafeTemporaryAllocation(byteCount: Self.piece, alignment: 1) { piece in
            let result = receive(into: piece)
            if case .moved(let count) = result { bytes += piece[..<count] }
            return result
        }
    }

    /// Hands the kernel what comes behind the first `offset` bytes of both, one right behind the other.
    public func send(_ first: [UInt8], _ second: [UInt8], from offset: Int) -> TransferResult {
        first.withUnsafeBytes { first in
            second.withUnsafeBytes { second in
                send(
                    UnsafeRawBufferPointer(rebasing: first.dropFirst(offset)),
                    UnsafeRawBufferPointer(rebasing: second.dropFirst(max(0, offset - first.count))))
            }
        }
    }
}

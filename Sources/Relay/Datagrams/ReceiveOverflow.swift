internal import Network

/// What the kernel has dropped of what came to a socket, because its buffer was full.
struct ReceiveOverflow {
    private var seen: UInt32 = 0

    /// How many datagrams that were since the last time.
    mutating func news(of socket: borrowing DatagramSocket) -> UInt64 {
        let dropped = socket.droppedCount
        defer { seen = dropped }
        // The kernel's counter begins anew after 2^32.
        return UInt64(dropped &- seen)
    }
}

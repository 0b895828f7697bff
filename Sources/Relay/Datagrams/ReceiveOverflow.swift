internal import Network

/// Counts the datagrams that the kernel has dropped because a socket's buffer was full.
struct ReceiveOverflow {
    private var seen: UInt32 = 0

    /// The number since the last time.
    mutating func news(of socket: borrowing DatagramSocket) -> UInt64 {
        let dropped = socket.droppedCount
        defer { seen = dropped }
        // The kernel's counter begins anew after 2^32.
        return UInt64(dropped &- seen)
    }
}

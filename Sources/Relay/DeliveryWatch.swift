public import EventLoop
public import Network

/// Remembers how much a peer had yet to acknowledge, so that the next look tells whether it still takes something. A peer that is
/// slow to take what its kernel's other side has had for long is not silent, and only asking shows it.
public struct DeliveryWatch {
    private var undelivered: Int32 = 0

    public init() {}

    /// Looks at how much the peer has yet to acknowledge.
    /// - Returns: whether that has changed since the last look.
    public mutating func hasMoved(_ socket: borrowing Socket) -> Bool {
        let before = undelivered
        undelivered = Int32(clamping: socket.undeliveredBytes)
        return before != 0 && before != undelivered
    }
}

extension Hearing {
    /// Whether nothing has moved for this long.
    /// - Parameter isStillDelivering: asks for deliveries (``DeliveryWatch``); called from half the time on, as it takes two looks.
    public func hasFallenSilent(
        since moment: MonotonicTime, for limit: Duration, unless isStillDelivering: () -> Bool
    ) -> Bool {
        let silence = silence(since: moment)
        return silence >= limit / 2 && !isStillDelivering() && silence >= limit
    }
}

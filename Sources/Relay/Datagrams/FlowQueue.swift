public import EventLoop

/// The flows that may be ended to make room for others, about in the order in which they were last used.
///
/// A flow does not move with every datagram: it is looked at when it has become the first. Belongs to its loop's thread.
public final class FlowQueue {
    // Neighbours keep each other; a relay takes its flows out before it lets go of them.
    private var first: DatagramFlow?
    private var last: DatagramFlow?
    public private(set) var count = 0

    public init() {}

    /// Adds a flow that is in no queue.
    public func append(_ flow: DatagramFlow) {
        flow.queue = self
        flow.queuedAt = flow.lastActivity
        flow.previousInQueue = last
        flow.nextInQueue = nil
        if let last { last.nextInQueue = flow } else { first = flow }
        last = flow
        count += 1
    }

    func remove(_ flow: DatagramFlow) {
        let (previous, next) = (flow.previousInQueue, flow.nextInQueue)
        if let previous { previous.nextInQueue = next } else { first = next }
        if let next { next.previousInQueue = previous } else { last = previous }
        flow.queue = nil
        flow.previousInQueue = nil
        flow.nextInQueue = nil
        count -= 1
    }

    /// The flow that has been idle for longest, or nearly so; nil where none has been for `duration`.
    public func idle(for duration: Duration, at now: MonotonicTime) -> DatagramFlow? {
        // Each is passed over once after it was used, so this costs no more than the datagrams that were carried.
        while let flow = first, flow.lastActivity > flow.queuedAt {
            remove(flow)
            append(flow)
        }
        guard let first, now.since(first.lastActivity) >= duration else { return nil }
        return first
    }
}

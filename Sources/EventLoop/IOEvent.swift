/// Watches one descriptor and calls its handler when the descriptor becomes ready.
///
/// The event does not own the descriptor: it must be freed, or ``stopWatching()`` called, before the
/// descriptor is closed, on the loop's own thread. ``Network`` has a socket type that sees to the order.
public final class IOEvent: DescriptorEvent {
    /// Called on the loop's thread. Whoever owns the event may drop it from within.
    public typealias Handler = (Readiness) -> Void

    private let handler: Handler

    /// Starts watching.
    /// - Parameters:
    ///   - descriptor: an open descriptor that supports epoll(7).
    ///   - handler: retained for as long as the event lives; capture its owner `unowned`.
    /// - Throws: ``SystemError`` when the kernel refuses to watch the descriptor.
    public init(
        _ descriptor: CInt, on loop: EventLoop, for interest: Readiness, trigger: Trigger,
        handler: @escaping Handler
    ) throws(SystemError) {
        self.handler = handler
        super.init(descriptor, on: loop, for: interest, trigger: trigger)
        try startWatching()
    }

    /// Does not watch before ``startWatching()``, which may be tried again where it fails.
    /// - Parameters: see ``init(_:on:for:trigger:handler:)``.
    public init(
        idle descriptor: CInt, on loop: EventLoop, for interest: Readiness, trigger: Trigger, handler: @escaping Handler
    ) {
        self.handler = handler
        super.init(descriptor, on: loop, for: interest, trigger: trigger)
    }

    public override func becameReady(_ readiness: Readiness) {
        handler(readiness)
    }
}

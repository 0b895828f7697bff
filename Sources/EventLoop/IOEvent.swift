internal import CLibevent
internal import Glibc

/// Watches one descriptor and calls its handler when the descriptor becomes ready.
///
/// The event does not own the descriptor: it must be freed, or ``stopWatching()`` called, before the
/// descriptor is closed, on the loop's own thread. ``Network`` has a socket type that sees to the order.
public final class IOEvent {
    /// What a descriptor is ready for, or is watched for.
    public struct Readiness: OptionSet, Sendable {
        public let rawValue: Int16
        @inlinable
        public init(rawValue: Int16) { self.rawValue = rawValue }

        /// A read would return data, the end of the stream, or an error.
        public static let readable = Readiness(rawValue: 0x02)
        /// A write would take data or return an error.
        public static let writable = Readiness(rawValue: 0x04)
        /// The peer has finished sending (EPOLLRDHUP): the end of the stream follows what can be read.
        ///
        /// Not reported together with an error: a reset shows as readable and writable only.
        public static let endOfStream = Readiness(rawValue: 0x80)
    }

    /// When the handler is called.
    public enum Trigger: Sendable {
        /// Once each time that readiness changes: the handler must use up what it was told, or remember it.
        case edge
        /// In every turn of the loop for as long as the descriptor is ready.
        case level
    }

    /// Called on the loop's thread. Whoever owns the event may drop it from within.
    public typealias Handler = (Readiness) -> Void

    private let loop: EventLoop
    private let handler: Handler
    private var event: OpaquePointer?

    /// Starts watching.
    /// - Parameters:
    ///   - descriptor: an open descriptor that supports epoll(7).
    ///   - handler: retained for as long as the event lives; capture its owner `unowned`.
    /// - Throws: ``SystemError`` when the kernel refuses to watch the descriptor.
    public init(
        _ descriptor: CInt, on loop: EventLoop, for interest: Readiness, trigger: Trigger,
        handler: @escaping Handler
    ) throws(SystemError) {
        self.loop = loop
        self.handler = handler
        let flags = interest.rawValue | Int16(EV_PERSIST) | (trigger == .edge ? Int16(EV_ET) : 0)
        event = event_new(
            loop.base, descriptor, flags,
            { _, readiness, context in
                guard let context else { return }
                // Retained for the call, in which the owner may let go of the event.
                let event = Unmanaged<IOEvent>.fromOpaque(context).takeUnretainedValue()
                event.handler(Readiness(rawValue: readiness))
            },
            Unmanaged.passUnretained(self).toOpaque())
        guard event != nil else { throw SystemError("event_new", code: ENOMEM) }
        try startWatching()
    }

    deinit {
        if let event { event_free(event) }
    }

    /// Watches again after ``stopWatching()``.
    /// - Throws: ``SystemError`` when the kernel refuses to watch the descriptor.
    public func startWatching() throws(SystemError) {
        guard event_add(event, nil) == 0 else { throw SystemError("epoll_ctl") }
    }

    /// Calls the handler no more until ``startWatching()``; the descriptor may be closed now.
    public func stopWatching() {
        event_del(event)
    }
}

internal import CLibevent
internal import Glibc

/// Calls its handler at the end of the loop's present turn, once everything that was ready in it has had its own: for what
/// several of them have collected.
public final class DeferredCall {
    private let loop: EventLoop
    private let handler: () -> Void
    private var event: OpaquePointer?

    /// - Parameter handler: called on the loop's thread; retained for as long as the call lives.
    /// - Throws: ``SystemError`` when there is no memory for it.
    public init(on loop: EventLoop, handler: @escaping () -> Void) throws(SystemError) {
        loop.assertIsOwnThread()
        self.loop = loop
        self.handler = handler
        event = event_new(
            loop.base, -1, 0,
            { _, _, context in
                guard let context else { return }
                Unmanaged<DeferredCall>.fromOpaque(context).takeUnretainedValue().handler()
            },
            Unmanaged.passUnretained(self).toOpaque())
        guard event != nil else { throw SystemError("event_new", code: ENOMEM) }
    }

    deinit {
        guard let event else { return }
        loop.assertIsOwnThread()
        event_free(event)
    }

    /// Has the handler called, once however often this is called before.
    public func schedule() {
        loop.assertIsOwnThread()
        // libevent appends it to what is ready, unless it is there already; no system call is needed.
        event_active(event, Int32(EV_TIMEOUT), 0)
    }
}

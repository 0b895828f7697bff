internal import CLibevent
internal import Glibc

/// Calls its handler each time that the process is sent a signal.
///
/// Only one loop of a process may watch signals: the kernel delivers them to the process, and libevent
/// hands them to the loop that asked last.
public final class SignalEvent {
    private let loop: EventLoop
    private let handler: () -> Void
    private var event: OpaquePointer?

    /// Takes over the signal's disposition and starts watching.
    /// - Parameters:
    ///   - signal: its number (signal(7)).
    ///   - handler: called on the loop's thread, not in a signal context.
    /// - Throws: ``SystemError`` when the signal cannot be caught.
    public init(_ signal: CInt, on loop: EventLoop, handler: @escaping () -> Void) throws(SystemError) {
        loop.assertIsOwnThread()
        self.loop = loop
        self.handler = handler
        event = event_new(
            loop.base, signal, Int16(EV_SIGNAL) | Int16(EV_PERSIST),
            { _, _, context in
                guard let context else { return }
                Unmanaged<SignalEvent>.fromOpaque(context).takeUnretainedValue().handler()
            },
            Unmanaged.passUnretained(self).toOpaque())
        guard event != nil else { throw SystemError("event_new", code: ENOMEM) }
        guard event_add(event, nil) == 0 else { throw SystemError("sigaction") }
    }

    /// Gives the signal its earlier disposition back.
    deinit {
        guard let event else { return }
        loop.assertIsOwnThread()
        event_free(event)
    }
}

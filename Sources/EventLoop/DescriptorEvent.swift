internal import CLibevent
internal import CLinux
internal import Glibc

/// One descriptor's registration with a loop, for types that have a descriptor to be watched; ``IOEvent`` is the one for
/// everybody else.
///
/// It does not own the descriptor, and must have stopped watching before that is closed: libevent would go on believing that
/// the kernel watches a descriptor of this number, and whoever gets the number next would never be told anything. A debug build
/// ends where that is forgotten; in others the next one's ``startWatching()`` fails instead of keeping silent for good.
///
/// Belongs to its loop's thread.
open class DescriptorEvent {
    /// The kinds of readiness that a descriptor has, or is watched for.
    public struct Readiness: OptionSet, Sendable {
        public let rawValue: Int16
        @inlinable
        public init(rawValue: Int16) { self.rawValue = rawValue }

        /// A read would return data, the end of the stream, or an error.
        public static let readable = Readiness(rawValue: 0x02)
        /// A write would take data or return an error.
        public static let writable = Readiness(rawValue: 0x04)
        /// The peer has finished sending (EPOLLRDHUP): the end of the stream follows what can be read.
        public static let endOfStream = Readiness(rawValue: 0x80)
        /// The connection has failed (EPOLLERR), after what can still be read: it was reset, say, or refused. Comes alone,
        /// and only where ``endOfStream`` is watched for; elsewhere an error shows as readable and writable.
        public static let failed = Readiness(rawValue: 0x100)
        /// TCP's urgent mark is ahead (EPOLLPRI): a read ends short there, whatever is behind it, and of that nobody tells.
        /// Comes with ``readable``, and only where ``endOfStream`` is watched for, of which it says nothing.
        public static let urgent = Readiness(rawValue: 0x200)
    }

    /// The occasions on which ``becameReady(_:)`` is called.
    public enum Trigger: Sendable {
        /// Once each time that readiness changes: one must use up what one was told, or remember it.
        case edge
        /// In every turn of the loop for as long as the descriptor is ready.
        case level
    }

    private let loop: EventLoop
    private let descriptor: CInt
    private let flags: Int16
    /// The libevent event; nil before it is first needed, and once it was freed.
    private var event: OpaquePointer?
    private var isClosed = false
    private var isWatching = false

    /// Prepares to watch; nothing is reported before ``startWatching()``.
    /// - Parameter descriptor: an open descriptor that supports epoll(7).
    public init(_ descriptor: CInt, on loop: EventLoop, for interest: Readiness, trigger: Trigger) {
        self.loop = loop
        self.descriptor = descriptor
        flags = interest.rawValue | Int16(EV_PERSIST) | (trigger == .edge ? Int16(EV_ET) : 0)
    }

    deinit {
        guard let event else { return }
        stopWatching()
        event_free(event)
    }

    /// Called on the loop's thread when the descriptor is ready. Whoever owns the event may drop it from within.
    open func becameReady(_ readiness: Readiness) {}

    /// Watches from now on, or again.
    /// - Throws: ``SystemError`` when the kernel refuses to watch the descriptor, or there is no memory.
    public func startWatching() throws(SystemError) {
        loop.assertIsOwnThread()
        guard !isWatching else { return }
        let event = try preparedEvent()
        let changes = clinux_epoll_changes()
        errno = 0
        guard event_add(event, nil) == 0 else { throw SystemError("epoll_ctl", code: errno == 0 ? ENOMEM : errno) }
        isWatching = true
        guard clinux_epoll_changes() != changes else {
            assertionFailure("descriptor \(descriptor) was closed while it was watched")
            stopWatching()
            throw SystemError("epoll_ctl", code: EEXIST)
        }
    }

    private func preparedEvent() throws(SystemError) -> OpaquePointer {
        if let event { return event }
        precondition(!isClosed, "the descriptor was closed")
        event = event_new(
            loop.base, descriptor, flags,
            { _, readiness, context in
                guard let context else { return }
                // Retained for the call, in which the owner may let go of the event.
                let event = Unmanaged<DescriptorEvent>.fromOpaque(context).takeUnretainedValue()
                event.becameReady(Readiness(reported: readiness))
            },
            Unmanaged.passUnretained(self).toOpaque())
        guard let event else { throw SystemError("event_new", code: ENOMEM) }
        return event
    }

    /// Reports nothing more until ``startWatching()``; the descriptor may be closed now.
    public func stopWatching() {
        guard isWatching, let event else { return }
        loop.assertIsOwnThread()
        isWatching = false
        let strays = clinux_epoll_strays()
        event_del(event)
        assert(clinux_epoll_strays() == strays, "descriptor \(descriptor) was closed while it was watched")
    }

    /// Reports nothing more, ever: the only open descriptor of its socket is about to be closed, before this thread
    /// registers another.
    public func stopWatchingToClose() {
        isClosed = true
        guard let event else { return }
        loop.assertIsOwnThread()
        self.event = nil
        isWatching = false
        clinux_closing_begins()
        event_free(event)
        clinux_closing_ends()
    }
}

extension DescriptorEvent.Readiness {
    /// - Parameter reported: what libevent has to say, together with how the event was triggered.
    fileprivate init(reported: Int16) {
        let reasons = reported & (Int16(EV_READ) | Int16(EV_WRITE) | Int16(EV_CLOSED))
        // CLinux's epoll.c says why.
        switch reasons {
        case Int16(EV_CLOSED): self = .failed
        case Int16(EV_CLOSED) | Int16(EV_WRITE): self = [.readable, .writable, .urgent]
        default: self = Self(rawValue: reasons)
        }
    }
}

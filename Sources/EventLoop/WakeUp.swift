internal import CLinux
internal import Glibc

/// A bell that one thread rings and another waits for (eventfd(2)). Rings before the wait count as one.
public struct WakeUp: ~Copyable, Sendable {
    private let descriptor: Descriptor

    private static let attempts = 3
    /// In microseconds.
    private static let pauseAfterFailure: UInt32 = 10_000

    /// - Throws: ``SystemError`` when the process is out of descriptors.
    public init() throws(SystemError) {
        let number = eventfd(0, CInt(EFD_CLOEXEC))
        guard number >= 0 else { throw SystemError("eventfd") }
        descriptor = Descriptor(owning: number)
    }

    /// The descriptor's number: it is readable when somebody has rung.
    var number: CInt { descriptor.number }

    /// Wakes whoever waits, or will. Callable from every thread.
    public func send() {
        // To ring twice does no harm, and whoever is not rung for waits for good. A full counter has been rung already.
        for _ in 0..<Self.attempts where eventfd_write(descriptor.number, 1) == 0 || errno == EAGAIN { return }
    }

    /// Waits until somebody has rung, but no longer than `limit`.
    /// - Returns: whether somebody has; the next ``wait()`` returns at once then.
    @discardableResult
    public func wait(atMost limit: Duration) -> Bool {
        let start = MonotonicTime.now
        var ready = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
        repeat {
            let left = limit - MonotonicTime.now.since(start)
            let count = poll(&ready, 1, CInt((max(left, .zero) / .milliseconds(1)).rounded(.up)))
            if count >= 0 { return count > 0 }
        } while errno == EINTR
        // Whoever takes this for the time being over would look again at once, and without end.
        usleep(Self.pauseAfterFailure)
        return false
    }

    /// Waits until somebody has rung since the last wait. Returns at once where ``number`` is readable.
    public func wait() {
        var count: eventfd_t = 0
        while eventfd_read(descriptor.number, &count) != 0, errno == EINTR {}
    }
}

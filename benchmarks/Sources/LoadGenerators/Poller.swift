import CKernel
import Glibc

/// epoll(7) for readable descriptors. Owns the epoll descriptor, not those that it watches.
struct Poller: ~Copyable {
    private let descriptor: Int32
    private var events: [epoll_event]

    init(capacity: Int) throws(LoadFailure) {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard descriptor >= 0 else { throw .system("no epoll") }
        events = Array(repeating: epoll_event(), count: capacity)
    }

    deinit {
        close(descriptor)
    }

    /// Watches `watched`, which `wait` reports as `tag`, until it is closed.
    func add(_ watched: Int32, tag: Int) throws(LoadFailure) {
        var event = epoll_event()
        event.events = UInt32(EPOLLIN.rawValue)
        event.data.u64 = UInt64(tag)
        guard epoll_ctl(descriptor, EPOLL_CTL_ADD, watched, &event) == 0 else { throw .system("epoll_ctl") }
    }

    /// Waits for at most `nanoseconds`, and calls `body` with the tag of each descriptor that is readable.
    mutating func wait(nanoseconds: UInt64, _ body: (Int) throws(LoadFailure) -> Void) throws(LoadFailure) {
        var limit = timespec(
            tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        let count = epoll_pwait2(descriptor, &events, Int32(events.count), &limit, nil)
        if count < 0 {
            if errno == EINTR { return }
            throw .system("epoll_pwait2")
        }
        for index in 0..<Int(count) { try body(Int(events[index].data.u64)) }
    }
}

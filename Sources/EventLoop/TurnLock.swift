internal import Glibc

/// Has threads take turns at what lies outside of the process, such as a queue of the kernel's. What is inside of it belongs
/// in a ``Guarded``.
public final class TurnLock: Sendable {
    // On the heap: a mutex must not move. It guards itself.
    nonisolated(unsafe) private let mutex: UnsafeMutablePointer<pthread_mutex_t>

    public init() {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Waits for the turn. Must not be called by who has it.
    public func begin() { pthread_mutex_lock(mutex) }

    /// Gives the turn to the next.
    public func end() { pthread_mutex_unlock(mutex) }
}

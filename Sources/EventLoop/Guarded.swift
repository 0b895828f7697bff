internal import Glibc

/// A value that several threads use, one at a time.
///
/// It stands where Swift's own Mutex could: that one takes its lock in a way that the thread sanitizer does not see,
/// which then reports every guarded access. This one is a pthread mutex (pthread_mutex_lock(3)).
public struct Guarded<Value: ~Copyable>: ~Copyable {
    // Both live on the heap: a mutex must not move.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let value: UnsafeMutablePointer<Value>

    /// Takes the value over.
    public init(_ initial: consuming sending Value) {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        value = .allocate(capacity: 1)
        value.initialize(to: initial)
    }

    deinit {
        value.deinitialize(count: 1)
        value.deallocate()
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Gives `body` the value while no other thread has it. Must not be called from within itself.
    public borrowing func withLock<Result: ~Copyable>(_ body: (inout sending Value) -> sending Result) -> sending Result
    {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body(&value.pointee)
    }
}

// The value is reached under the lock only, and what goes in or comes out is sent.
extension Guarded: @unchecked Sendable where Value: ~Copyable {}

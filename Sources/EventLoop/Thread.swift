internal import CLinux
internal import Glibc

/// A thread of the system's, with a name and nothing else; what a worker runs its loop on.
public struct Thread: ~Copyable, Sendable {
    private let thread: pthread_t

    /// Starts the thread.
    /// - Parameters:
    ///   - name: shown by ps and top; at most 15 bytes.
    ///   - body: the thread's whole life.
    /// - Throws: ``SystemError`` when the system refuses another thread.
    public init(named name: String, body: @escaping @Sendable () -> Void) throws(SystemError) {
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
                clinux_name_thread(start.name)
                start.body()
                return nil
            },
            start.toOpaque())
        guard code == 0 else {
            start.release()
            throw SystemError("pthread_create", code: code)
        }
        self.thread = thread
    }

    /// Waits until the thread has ended. Blocks the caller.
    public consuming func join() {
        pthread_join(thread, nil)
    }

    /// What the new thread is given: retained by the creator, released by the thread.
    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
}

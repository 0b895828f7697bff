internal import CLinux
internal import Glibc

/// Threads of the system's, with a name and nothing else: what a worker runs its loop on.
public enum Thread {
    /// Has the calling thread wait; never one that runs a loop.
    public static func pause(for duration: Duration) {
        usleep(UInt32(clamping: Int(duration / .microseconds(1))))
    }

    /// Starts a thread that nobody waits for, and that gets none of the process's signals.
    /// - Parameters:
    ///   - name: shown by ps and top; at most 15 bytes.
    ///   - body: the thread's whole life.
    /// - Throws: ``SystemError`` when the system refuses another thread.
    public static func start(named name: String, body: @escaping @Sendable () -> Void) throws(SystemError) {
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        var thread = pthread_t()
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, stackSize)
        // A signal that any thread may take would have the action that is the program's last one, when the others have ended.
        let code = ProcessSignals.blocked {
            pthread_create(
                &thread, &attributes,
                { context in
                    guard let context else { return nil }
                    let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
                    clinux_name_thread(start.name)
                    start.body()
                    return nil
                },
                start.toOpaque())
        }
        guard code == 0 else {
            start.release()
            throw SystemError("pthread_create", code: code)
        }
        pthread_detach(thread)
    }

    /// No thread of ours calls itself; the usual 8 MiB each would count in full against RLIMIT_DATA.
    private static let stackSize = 1 << 20

    /// The new thread's work: retained by the creator, released by the thread.
    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
}

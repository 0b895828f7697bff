internal import EventLoop
internal import Glibc
internal import Network
internal import Observability

/// Tells a service manager the program's state by the protocol of sd_notify(3), where `NOTIFY_SOCKET` asks for that.
///
/// Belongs to the control thread.
final class ServiceManager {
    private let socket: NotificationSocket
    private let log: Log
    /// The interval at which ``alive(_:)`` is due: half of what the service manager waits for; nil for never.
    let watchdogInterval: Duration?
    private var hasFailed = false

    /// - Returns: nil where no service manager listens.
    init?(_ environment: [String: String], log: Log) {
        guard let name = environment["NOTIFY_SOCKET"], !name.isEmpty else { return nil }
        self.log = log
        watchdogInterval = Self.watchdogInterval(environment, process: getpid())
        do throws(SystemError) {
            socket = try NotificationSocket(named: name)
        } catch {
            log.warning("cannot tell the service manager anything", ["reason": .text(error.reason)])
            return nil
        }
    }

    /// Returns half of the time that sd_watchdog_enabled(3) has; nil where the watchdog is off, or another process's.
    static func watchdogInterval(_ environment: [String: String], process: Int32) -> Duration? {
        guard let period = environment["WATCHDOG_USEC"].flatMap({ Int64($0) }), period > 1 else { return nil }
        if let watched = environment["WATCHDOG_PID"], Int32(watched) != process { return nil }
        return .microseconds(period / 2)
    }

    /// Tells that clients are accepted.
    func ready(_ status: String) { send(["READY=1", "STATUS=\(status)"]) }

    /// Tells that the configuration is being read again; ``ready(_:)`` follows.
    func reloading() {
        send(["RELOADING=1", "MONOTONIC_USEC=\(MonotonicTime.now.nanoseconds / 1000)", "STATUS=reloading"])
    }

    /// Tells that no client is accepted any more.
    func stopping() { send(["STOPPING=1", "STATUS=finishing connections"]) }

    /// Tells that all loops turn.
    func alive(_ status: String) { send(["WATCHDOG=1", "STATUS=\(status)"]) }

    private func send(_ lines: [String]) {
        do throws(SystemError) {
            try socket.send(lines)
        } catch {
            if !hasFailed { log.warning("cannot tell the service manager: \(error.reason)") }
            hasFailed = true
        }
    }
}

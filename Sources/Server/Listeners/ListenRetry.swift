internal import EventLoop
internal import Glibc
internal import Network

/// Decides when to try again to open listening sockets, and when the log says that it failed.
///
/// Workers and predecessors close their sockets a moment after they were told, and an address is free only then: so the first
/// tries follow soon, without a word.
struct ListenRetry {
    private static let first = Duration.milliseconds(20)
    private static let longest = Duration.seconds(5)
    /// The delay from which on a failure is reported.
    private static let patience = Duration.milliseconds(160)

    /// The time to wait before the next try.
    private var delay = ListenRetry.first

    /// Whether it has failed for long enough to be reported.
    var isWorthComplaint: Bool { delay >= Self.patience }

    /// Has the next failure tried again soon, as the first one is.
    mutating func hurry() {
        delay = Self.first
    }

    /// Has the timer try again; later each time.
    mutating func schedule(_ timer: Timer?) {
        timer?.schedule(after: delay)
        delay = min(delay * 2, Self.longest)
    }

    /// Whether an address may be missing: `[::]` where IPv6 is switched off, since IPv4 has its own listener.
    static func isOptional(_ address: SocketAddress, _ error: SystemError) -> Bool {
        address.ipAddress == .anyV6 && (error.code == EAFNOSUPPORT || error.code == EADDRNOTAVAIL)
    }
}

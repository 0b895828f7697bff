internal import EventLoop
internal import Glibc
internal import Network

/// When to try again to have listening sockets that could not be had, and when to say so.
///
/// Workers and predecessors close their sockets a moment after they were told, and an address is free only then: so the first
/// tries follow soon, and are nobody's business.
struct ListenRetry {
    private static let first = Duration.milliseconds(20)
    private static let longest = Duration.seconds(5)
    /// What cannot be had for so long is worth a complaint.
    private static let patience = Duration.milliseconds(160)

    /// How long to wait before the next try.
    private var delay = ListenRetry.first

    /// Whether it has failed for long enough to be complained about.
    var isWorthComplaint: Bool { delay >= Self.patience }

    /// The next failure is tried again soon, as the first one is.
    mutating func hurry() {
        delay = Self.first
    }

    /// Has the timer try again; later each time.
    mutating func schedule(_ timer: Timer?) {
        timer?.schedule(after: delay)
        delay = min(delay * 2, Self.longest)
    }

    /// IPv6 switched off is no reason not to start where every address was asked for.
    static func isOptional(_ address: SocketAddress, _ error: SystemError) -> Bool {
        address.ipAddress == .anyV6 && (error.code == EAFNOSUPPORT || error.code == EADDRNOTAVAIL)
    }
}

internal import CLinux

/// Calls its handler once, some time after it was scheduled, and not before the loop has heard everything that had come by
/// then: the timer for whoever ends something because nothing has come.
///
/// A process that was stopped for a while (SIGSTOP, a paused container) wakes up with all of its timers overdue and its
/// sockets full. A plain ``Timer`` would end what is just about to be read. This one waits for a look at the descriptors that
/// was made after its time; where it is late by more than a moment, it gives the loops one more to act on what they hear.
public final class Deadline {
    private let loop: EventLoop
    private let handler: (Hearing) -> Void
    private var timer: Timer?
    private var due = MonotonicTime(nanoseconds: 0)
    private var hasGivenTime = false

    /// The kernel's coarse clock moves in steps of up to this (CONFIG_HZ).
    private static let tick = Duration.milliseconds(16)
    /// Being later than this is no matter of load.
    private static let latest = Duration.milliseconds(100)
    /// The time that loops get to act on what they have heard, such as to tell each other.
    private static let moment = Duration.milliseconds(20)
    /// A loop that was deaf for longer cannot tell silence from its own absence.
    private static let longestAbsence = Duration.seconds(1)

    /// Makes a deadline that is not scheduled yet.
    /// - Parameter handler: called on the loop's thread; retained for as long as the deadline lives.
    /// - Throws: ``SystemError`` when there is no memory for it.
    public init(on loop: EventLoop, handler: @escaping (Hearing) -> Void) throws(SystemError) {
        self.loop = loop
        self.handler = handler
        // The timer is the deadline's own, and goes with it.
        timer = try Timer(on: loop) { [unowned self] in fire() }
    }

    /// Whether the handler is still to be called.
    public var isScheduled: Bool { timer?.isScheduled ?? false }

    /// Calls the handler once `delay` has passed, in place of any earlier schedule.
    public func schedule(after delay: Duration) {
        due = MonotonicTime.now.advanced(by: max(delay, .zero))
        hasGivenTime = false
        timer?.schedule(after: delay)
    }

    /// Forgets the schedule, if there is one.
    public func cancel() {
        timer?.cancel()
    }

    private func fire() {
        let heard = MonotonicTime(nanoseconds: clinux_heard_until())
        guard heard.advanced(by: Self.tick) >= due else {
            // At zero, after the next look.
            timer?.schedule(after: max(due.since(.now), .zero))
            return
        }
        let lateness = heard.since(due)
        if lateness >= Self.longestAbsence, loop.resumed < due { loop.resumed = heard }
        if lateness >= Self.latest, !hasGivenTime {
            hasGivenTime = true
            timer?.schedule(after: Self.moment)
            return
        }
        handler(Hearing(now: max(heard, due), resumed: loop.resumed))
    }
}

/// The state of a loop's hearing when a ``Deadline`` is over: the measure of silences.
public struct Hearing: Sendable {
    /// Everything that came before has been told to those whom it concerns.
    public let now: MonotonicTime
    /// The moment since which the loop has listened without a long break.
    let resumed: MonotonicTime

    /// The time in which nothing has come since then. A break of more than a second is no silence: after it, everybody has all
    /// of their time again.
    public func silence(since moment: MonotonicTime) -> Duration {
        now.since(max(moment, resumed))
    }
}

internal import EventLoop

/// Tells the time of the event that is being handled. The clock is read when somebody first asks, so that all that happens in one
/// event costs at most one reading. Belongs to its worker's thread.
final class TurnClock {
    private var reading: MonotonicTime?

    /// Begins another event.
    func beginTurn() { reading = nil }

    /// Takes over a reading that was just made.
    func note(_ time: MonotonicTime) { reading = time }

    var now: MonotonicTime {
        if let reading { return reading }
        let now = MonotonicTime.now
        reading = now
        return now
    }
}

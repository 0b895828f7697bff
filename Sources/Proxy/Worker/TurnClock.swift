internal import EventLoop

/// The time of the event that is being handled: read when somebody first asks, so that all that happens because of one
/// event costs one reading at the most. Belongs to its worker's thread.
final class TurnClock {
    private var reading: MonotonicTime?

    /// Another event is handled from now on.
    func beginTurn() { reading = nil }

    /// Takes a reading that somebody else has just made.
    func note(_ time: MonotonicTime) { reading = time }

    var now: MonotonicTime {
        if let reading { return reading }
        let now = MonotonicTime.now
        reading = now
        return now
    }
}

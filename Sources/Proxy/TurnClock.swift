internal import EventLoop

/// The time of the event that is being handled: read when somebody first asks, so that all that happens because of one
/// event costs one reading at the most. Belongs to its worker's thread.
struct TurnClock {
    private var reading: MonotonicTime?

    /// Another event is handled from now on.
    mutating func beginTurn() { reading = nil }

    /// Takes a reading that somebody else has just made.
    mutating func note(_ time: MonotonicTime) { reading = time }

    var now: MonotonicTime {
        mutating get {
            if let reading { return reading }
            let reading = MonotonicTime.now
            self.reading = reading
            return reading
        }
    }
}

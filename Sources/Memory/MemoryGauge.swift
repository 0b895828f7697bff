public import EventLoop

/// Makes of one reading after the other how short memory is. What has become worse is so at once; better it becomes
/// step by step, and not before it is so by a margin, lest those who come back right away turn it around again.
public struct MemoryGauge: Sendable {
    /// Levels of shortage.
    public enum Level: Int, Sendable, Comparable, CaseIterable {
        /// There is enough.
        case ample
        /// Memory that is only kept to be faster is given back.
        case tight
        /// Nobody new is let in.
        case critical

        public static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
    }

    public private(set) var level = Level.ample
    /// The moment of its last change.
    private var changed: MonotonicTime?

    /// The least time that a level holds before a better one follows.
    static let shortestStay = Duration.seconds(1)

    public init() {}

    /// Takes note of a reading; nil where there is no limit.
    /// - Returns: whether the level has changed.
    public mutating func note(_ reading: MemoryReading?, at now: MonotonicTime) -> Bool {
        let next = nextLevel(reading, at: now)
        guard next != level else { return false }
        level = next
        changed = now
        return true
    }

    private func nextLevel(_ reading: MemoryReading?, at now: MonotonicTime) -> Level {
        let worst = Self.level(reading, leaving: .ample)
        if worst > level { return worst }
        guard let changed, now.since(changed) >= Self.shortestStay else { return level }
        let best = Self.level(reading, leaving: level)
        return best < level ? Level(rawValue: level.rawValue - 1) ?? .ample : level
    }

    /// The level that a reading shows by itself.
    /// - Parameter current: the level that holds: it and those under it ask for twice as much spare memory.
    private static func level(_ reading: MemoryReading?, leaving current: Level) -> Level {
        guard let reading else { return .ample }
        if reading.spare < (current == .critical ? reading.limit / 16 : reading.limit / 32) { return .critical }
        if reading.spare < (current == .ample ? reading.limit / 8 : reading.limit * 3 / 16) { return .tight }
        return .ample
    }
}

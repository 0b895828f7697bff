package import EventLoop

/// Tells by their number whether clients who may not come in come in a flood.
package struct DenialGauge {
    /// So many in a second are a flood: to reset each would take 3 % of a processor, and more would take more.
    package static let flood = 1000
    /// With fewer in a second it is over, if that lasts.
    static let calm = 100
    /// For how many seconds in a row it must be calm; whoever keeps on trying tries again within that time.
    static let calmSeconds = 3

    private var second: (start: MonotonicTime, denied: Int)?
    private var calmSeconds = 0

    package init() {}

    /// Notes one who was denied.
    /// - Returns: whether that makes it a flood.
    package mutating func note(at now: MonotonicTime) -> Bool {
        if let (start, denied) = second, now.since(start) < .seconds(1) {
            second = (start, denied + 1)
        } else {
            second = (now, 1)
        }
        guard let second, second.denied >= Self.flood else { return false }
        self.second = nil
        calmSeconds = 0
        return true
    }

    /// To be asked once a second during a flood.
    /// - Parameter denied: how many were denied in this second.
    package mutating func isOver(denied: Int) -> Bool {
        calmSeconds = denied < Self.calm ? calmSeconds + 1 : 0
        return calmSeconds >= Self.calmSeconds
    }
}

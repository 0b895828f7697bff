package import EventLoop

/// Tells by the number of denied clients whether there is a flood of them.
package struct DenialGauge {
    /// The number of denied clients in a second that is a flood: to reset each of so many takes 3 % of a processor.
    package static let flood = 1000
    /// The number of denied clients in a second below which a flood is over, if that lasts.
    static let calm = 100
    /// The number of calm seconds in a row that end a flood: a client that keeps on trying tries again within that time.
    static let calmSeconds = 3

    private var second: (start: MonotonicTime, denied: Int)?
    private var calmSeconds = 0

    package init() {}

    /// Notes a denied client.
    /// - Returns: whether this is a flood now.
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

    /// Returns whether a flood is over; to be asked once a second during one.
    /// - Parameter denied: the number of clients denied in this second.
    package mutating func isOver(denied: Int) -> Bool {
        calmSeconds = denied < Self.calm ? calmSeconds + 1 : 0
        return calmSeconds >= Self.calmSeconds
    }
}

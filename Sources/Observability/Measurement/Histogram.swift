internal import EventLoop

/// Counts of values between bounds, for one kind of values whose bounds never change.
///
/// Counting takes no allocation; copies are taken when somebody asks.
public struct Histogram<Scale: HistogramScale>: Sendable {
    /// The number of values in each bucket; the last one is for those above all bounds.
    public private(set) var counts = InlineArray<32, UInt64>(repeating: 0)
    /// The sum of all values, in the scale's unit.
    public private(set) var sum: UInt64 = 0

    public init() {}

    /// The number of values.
    public var total: UInt64 {
        var total: UInt64 = 0
        for index in 0...Scale.bounds.count { total += counts[index] }
        return total
    }

    /// Counts a value, in the scale's unit.
    public mutating func count(_ value: UInt64) {
        counts[Scale.bucket(of: value)] &+= 1
        sum &+= value
    }

    /// Adds what another histogram has counted.
    public mutating func add(_ other: Histogram) {
        for index in counts.indices { counts[index] += other.counts[index] }
        sum &+= other.sum
    }

    /// The counts since an earlier copy.
    public func since(_ earlier: Histogram) -> Histogram {
        var result = self
        // A worker that did not answer may be behind.
        for index in counts.indices { result.counts[index] -= min(earlier.counts[index], counts[index]) }
        result.sum = sum - min(earlier.sum, sum)
        return result
    }

    /// The value below which a share of the values lie, in the scale's unit; nil where there are none. Between two bounds the
    /// values are taken to be spread evenly.
    /// - Parameter share: from 0 to 1: 0.99 for the 99th percentile.
    public func quantile(_ share: Double) -> Double? {
        let total = total
        guard total > 0 else { return nil }
        let rank = share * Double(total)
        var below: UInt64 = 0
        for (index, bound) in Scale.bounds.enumerated() {
            let count = counts[index]
            if count > 0, Double(below + count) >= rank {
                let lower = index == 0 ? 0 : Double(Scale.bounds[index - 1])
                let part = max(0, rank - Double(below)) / Double(count)
                return lower + (Double(bound) - lower) * part
            }
            below += count
        }
        return Scale.bounds.last.map { Double($0) }
    }
}

/// The bounds of a histogram's buckets and what its values are.
public protocol HistogramScale: Sendable {
    /// The upper bounds, ascending, each of them inclusive; at most 31.
    static var bounds: [UInt64] { get }
    /// The number of the values' units in one unit of the metrics: seconds, or bytes.
    static var unitsPerMetric: Double { get }
    /// The number of the first bound that is not below a value; as many as there are bounds where all are. This is what
    /// counting costs, so each scale has the way that is short for it.
    static func bucket(of value: UInt64) -> Int
}

/// Durations in nanoseconds, from 100 us to 100 s, five bounds to a decade (the R5 series of ISO 3), so that a percentile
/// between two of them is at most a quarter off.
public enum DurationScale: HistogramScale {
    // Written out, so that the compiler lays it out, and counting need not ask whether that has been done.
    public static let bounds: [UInt64] = [
        100_000, 160_000, 250_000, 400_000, 630_000,
        1_000_000, 1_600_000, 2_500_000, 4_000_000, 6_300_000,
        10_000_000, 16_000_000, 25_000_000, 40_000_000, 63_000_000,
        100_000_000, 160_000_000, 250_000_000, 400_000_000, 630_000_000,
        1_000_000_000, 1_600_000_000, 2_500_000_000, 4_000_000_000, 6_300_000_000,
        10_000_000_000, 16_000_000_000, 25_000_000_000, 40_000_000_000, 63_000_000_000,
        100_000_000_000,
    ]
    public static let unitsPerMetric = 1e9

    /// At most two bounds lie between a power of two and the next one.
    public static func bucket(of value: UInt64) -> Int {
        guard value > 100_000 else { return 0 }
        let exponent = UInt64.bitWidth - 1 - value.leadingZeroBitCount
        guard exponent < 37 else { return bounds.count }
        var bucket = firstBuckets[exponent - 16]
        while bucket < bounds.count, value > bounds[bucket] { bucket += 1 }
        return bucket
    }

    /// The first bound that is not below each power of two, from 2^16 to 2^36, the last that is below the highest bound.
    private static let firstBuckets: [Int] = [
        0, 1, 3, 4, 6, 7, 9, 10, 12, 13, 15, 16, 18, 19, 21, 22, 24, 25, 27, 28, 30,
    ]
}

/// Sizes in bytes: powers of four from 64 bytes to 4 GiB.
public enum SizeScale: HistogramScale {
    public static let bounds: [UInt64] = [
        64, 256, 1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18, 1 << 20, 1 << 22, 1 << 24, 1 << 26, 1 << 28, 1 << 30,
        1 << 32,
    ]
    public static let unitsPerMetric = 1.0

    /// Half the number of binary digits that it takes, rounded up.
    public static func bucket(of value: UInt64) -> Int {
        guard value > 64 else { return 0 }
        let digits = UInt64.bitWidth - (value - 1).leadingZeroBitCount
        return min((digits - 5) / 2, bounds.count)
    }
}

extension Histogram<DurationScale> {
    /// Counts the time from one moment to another; none where it is negative.
    mutating func count(from start: MonotonicTime, to end: MonotonicTime) {
        count(UInt64(max(end.nanoseconds - start.nanoseconds, 0)))
    }
}

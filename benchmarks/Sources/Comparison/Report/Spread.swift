/// The middle of some values, and how far they lie apart.
public struct Spread: Equatable, Codable, Sendable {
    public let median: Double
    public let least: Double
    public let most: Double
    public let count: Int

    /// - Precondition: there is at least one value.
    public init(_ values: [Double]) {
        precondition(!values.isEmpty)
        let sorted = values.sorted()
        let middle = sorted.count / 2
        median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
        least = sorted[0]
        most = sorted[sorted.count - 1]
        count = sorted.count
    }
}

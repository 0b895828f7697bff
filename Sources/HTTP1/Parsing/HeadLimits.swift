/// The bounds of a head.
public struct HeadLimits: Sendable, Equatable {
    /// The most bytes of a head, with its first and its empty line; at least 1.
    public var headBytes: Int
    /// The most fields in it.
    public var fields: Int
    /// The most bytes of a request's target.
    public var targetBytes: Int

    public init(headBytes: Int = 32 << 10, fields: Int = 100, targetBytes: Int = 8 << 10) {
        // Positions in a head are kept in 32 bits.
        self.headBytes = min(max(headBytes, 1), 1 << 30)
        self.fields = max(fields, 0)
        self.targetBytes = max(targetBytes, 1)
    }
}

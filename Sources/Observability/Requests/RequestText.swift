/// The request's own words for the access log, copied from its head. A connection keeps one for all of its
/// requests, so that copying allocates nothing after the first.
public struct RequestText: Sendable {
    private var bytes: [UInt8] = []
    private var methodRange = 0..<0
    private var targetRange = 0..<0
    private var versionRange = 0..<0
    private var refererRange = 0..<0
    private var userAgentRange = 0..<0

    /// The longest part; the rest is cut off, for a log whose lines are readable and whose reader keeps up.
    static let longestPart = 8 << 10

    /// Nothing, as of a request whose head never came.
    public init() {}

    /// Copies out of a request's head.
    /// - Parameters:
    ///   - head: the bytes in which the ranges are.
    ///   - requestLine: without its end; empty where the request is none.
    ///   - method: in the request line.
    ///   - target: in the request line.
    ///   - referer: the value of the field; empty where there is none.
    ///   - userAgent: likewise.
    public mutating func copy(
        from head: Span<UInt8>, requestLine: Range<Int>, method: Range<Int>, target: Range<Int>,
        referer: Range<Int> = 0..<0, userAgent: Range<Int> = 0..<0
    ) {
        bytes.removeAll(keepingCapacity: true)
        methodRange = append(head, method)
        targetRange = append(head, target)
        let version = target.isEmpty ? requestLine.upperBound : min(target.upperBound + 1, requestLine.upperBound)
        versionRange = append(head, version..<requestLine.upperBound)
        refererRange = append(head, referer)
        userAgentRange = append(head, userAgent)
    }

    private mutating func append(_ head: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
        let start = bytes.count
        for index in range.prefix(Self.longestPart) { bytes.append(head[index]) }
        return start..<bytes.count
    }

    var method: ArraySlice<UInt8> { bytes[methodRange] }
    var target: ArraySlice<UInt8> { bytes[targetRange] }
    /// `HTTP/1.1`
    var version: ArraySlice<UInt8> { bytes[versionRange] }
    var referer: ArraySlice<UInt8> { bytes[refererRange] }
    var userAgent: ArraySlice<UInt8> { bytes[userAgentRange] }
}

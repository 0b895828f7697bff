/// The framing of chunked bodies as we write it ourselves (RFC 9112 section 7.1).
public enum Chunk {
    /// Behind a chunk's bytes.
    public static let end = Text.lineEnd
    /// Behind the last chunk, where there are no trailers.
    public static let last = Array("0\r\n\r\n".utf8)

    /// Appends what goes in front of a chunk's bytes.
    /// - Parameter count: how many bytes it has. At least one, for an empty chunk is the end of the body.
    public static func begin(_ count: Int, into output: inout [UInt8]) {
        precondition(count > 0)
        var shift = (Int.bitWidth - count.leadingZeroBitCount - 1) & ~3
        while shift >= 0 {
            output.append(digits[count >> shift & 15])
            shift -= 4
        }
        output += Text.lineEnd
    }

    private static let digits = Array("0123456789abcdef".utf8)
}

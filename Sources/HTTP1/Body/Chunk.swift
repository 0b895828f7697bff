/// The framing of chunked bodies as we write it ourselves (RFC 9112 section 7.1).
public enum Chunk {
    /// Follows a chunk's bytes.
    public static let end = Text.lineEnd
    /// Follows the last byte of a body that has no trailers: the last chunk and the empty line.
    public static let last = Array("0\r\n\r\n".utf8)

    /// Appends the size line that goes in front of a chunk's bytes.
    /// - Parameter count: the number of its bytes; at least one, for an empty chunk is the end of the body.
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

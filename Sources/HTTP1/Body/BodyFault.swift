/// A fault of a chunked body.
public enum BodyFault: Error, Sendable, Equatable, CaseIterable {
    /// No hexadecimal digit where a chunk's size should begin, or something odd after its digits.
    case invalidChunkSize
    /// More than 16 digits, or 2^63 and more.
    case chunkTooLarge
    /// An extension that RFC 9112 section 7.1.1 does not allow; blanks outside of quotes, too.
    case invalidExtension
    case extensionTooLong
    case bareCarriageReturn
    case bareLineFeed
    /// No CR LF behind a chunk's bytes.
    case missingChunkEnd
    case invalidTrailer
    case trailersTooLarge

    /// One sentence for people.
    public var explanation: String {
        switch self {
        case .invalidChunkSize: "A chunk's size is not a hexadecimal number."
        case .chunkTooLarge: "A chunk's size is too large."
        case .invalidExtension: "A chunk's extension is malformed."
        case .extensionTooLong: "The extensions of the chunks are too long."
        case .bareCarriageReturn: "A carriage return in the body's framing is not a line's end."
        case .bareLineFeed: "A line in the body's framing ends with a line feed alone."
        case .missingChunkEnd: "A chunk is longer than its size says."
        case .invalidTrailer: "A trailer line is malformed."
        case .trailersTooLarge: "The trailers are too large."
        }
    }
}

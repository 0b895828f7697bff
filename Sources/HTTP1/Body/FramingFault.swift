/// The reason why a head does not tell where its body ends, or what becomes of its connection.
public enum FramingFault: Error, Sendable, Equatable, CaseIterable {
    /// Not a plain decimal number: signed, a list, empty, hexadecimal.
    case invalidLength
    /// More than 2^63 - 1.
    case lengthTooLarge
    /// More than one Content-Length, equal or not.
    case repeatedLength
    case lengthAndTransferEncoding
    case repeatedTransferEncoding
    /// Transfer-Encoding in HTTP/1.0, which does not have it.
    case transferEncodingInHTTP10
    /// Transfer-Encoding whose last coding is not chunked, so that the body has no end that can be seen.
    case notChunkedLast
    /// Codings besides chunked.
    case unknownCoding
    case tooManyConnectionOptions

    /// One sentence for people.
    public var explanation: String {
        switch self {
        case .invalidLength: "The Content-Length is not a number."
        case .lengthTooLarge: "The Content-Length is too large."
        case .repeatedLength: "There is more than one Content-Length."
        case .lengthAndTransferEncoding: "There are both a Content-Length and a Transfer-Encoding."
        case .repeatedTransferEncoding: "There is more than one Transfer-Encoding."
        case .transferEncodingInHTTP10: "HTTP/1.0 has no Transfer-Encoding."
        case .notChunkedLast: "The Transfer-Encoding does not end with chunked."
        case .unknownCoding: "The Transfer-Encoding is not one that is understood here."
        case .tooManyConnectionOptions: "The Connection header lists too much."
        }
    }
}

/// The reason why a request's head is refused.
public enum RequestFault: Error, Sendable, Equatable {
    /// The first byte is that of a TLS handshake.
    case tlsHandshake
    /// The connection preface of HTTP/2.
    case http2Preface
    case emptyLines
    case bareLineFeed
    case bareCarriageReturn
    case invalidMethod
    case methodTooLong
    case missingTarget
    case targetTooLong
    /// A control character, a byte above 0x7E, or `#` in the target.
    case invalidTarget
    /// A target that is none of a path, an http or https URL, and `*`.
    case unknownTargetForm
    /// `*` with another method than OPTIONS.
    case asteriskWithoutOptions
    /// CONNECT: this is no forward proxy.
    case connectRefused
    /// A request line without a version, as in HTTP/0.9.
    case missingVersion
    case invalidVersion
    /// A well-formed version that is neither 1.0 nor 1.1.
    case unsupportedVersion
    case missingHost
    case repeatedHost
    case invalidHost
    /// An expectation other than 100-continue.
    case unknownExpectation
    case field(FieldFault)
    case framing(FramingFault)

    /// The status of the response.
    public var status: Int {
        switch self {
        case .targetTooLong: 414
        case .unknownExpectation: 417
        case .field(.tooManyFields), .field(.headTooLarge): 431
        case .methodTooLong, .connectRefused, .framing(.unknownCoding): 501
        case .http2Preface, .unsupportedVersion: 505
        default: 400
        }
    }

    /// One sentence for people.
    public var explanation: String {
        switch self {
        case .tlsHandshake: "The client speaks TLS, and this port speaks plain HTTP."
        case .http2Preface: "The client speaks HTTP/2, and this port speaks HTTP/1.1."
        case .emptyLines: "The request begins with more than one empty line."
        case .bareLineFeed: "The request line ends with a line feed alone."
        case .bareCarriageReturn: "The request line holds a carriage return that is not its end."
        case .invalidMethod: "The method holds a character that is not allowed there."
        case .methodTooLong: "The method is too long."
        case .missingTarget: "The request line names no target."
        case .targetTooLong: "The URL is too long."
        case .invalidTarget: "The URL holds a character that is not allowed there."
        case .unknownTargetForm: "The request's target is neither a path nor an http or https URL."
        case .asteriskWithoutOptions: "Only OPTIONS may have * as its target."
        case .connectRefused: "CONNECT is not supported here."
        case .missingVersion: "The request line names no HTTP version."
        case .invalidVersion: "The request line's HTTP version is malformed."
        case .unsupportedVersion: "Only HTTP/1.0 and HTTP/1.1 are spoken here."
        case .missingHost: "The request has no Host header."
        case .repeatedHost: "The request has more than one Host header."
        case .invalidHost: "The request's Host header is not a valid host and port."
        case .unknownExpectation: "The request expects something that is not known here."
        case .field(let fault): fault.explanation
        case .framing(let fault): fault.explanation
        }
    }
}

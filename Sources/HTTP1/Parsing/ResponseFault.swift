/// The reason why an app's response is not passed on; the client gets 502 instead.
public enum ResponseFault: Error, Sendable, Equatable {
    /// It does not begin as an HTTP/1 status line does.
    case notHTTP
    /// A well-formed version that is neither 1.0 nor 1.1.
    case unsupportedVersion
    /// Not three digits, or below 100.
    case invalidStatus
    /// A control character in the reason phrase.
    case invalidReason
    case bareLineFeed
    case bareCarriageReturn
    case field(FieldFault)
    case framing(FramingFault)

    /// One sentence for people about the response.
    public var explanation: String {
        switch self {
        case .notHTTP: "It is not an HTTP/1 answer."
        case .unsupportedVersion: "Its version is neither HTTP/1.0 nor HTTP/1.1."
        case .invalidStatus: "Its status is not a number of three digits."
        case .invalidReason: "Its reason phrase holds a control character."
        case .bareLineFeed: "Its status line ends with a line feed alone."
        case .bareCarriageReturn: "Its status line holds a carriage return that is not its end."
        case .field(let fault): fault.explanation
        case .framing(let fault): fault.explanation
        }
    }
}

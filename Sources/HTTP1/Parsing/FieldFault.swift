/// A fault of a head's field lines, in a request or a response.
public enum FieldFault: Error, Sendable, Equatable, CaseIterable {
    case bareCarriageReturn
    case bareLineFeed
    /// A line that begins with a blank: obs-fold, or a blank before the first field.
    case foldedLine
    case emptyName
    case invalidName
    /// A blank in a name or between it and its colon, which proxies and apps have read differently.
    case blankBeforeColon
    case missingColon
    /// A NUL or another control character but the tab.
    case controlInValue
    case tooManyFields
    case headTooLarge

    /// One sentence for people.
    public var explanation: String {
        switch self {
        case .bareCarriageReturn: "A line holds a carriage return that is not the line's end."
        case .bareLineFeed: "A line ends with a line feed alone."
        case .foldedLine: "A header line begins with a blank."
        case .emptyName: "A header line has no name."
        case .invalidName: "A header's name holds a character that is not allowed there."
        case .blankBeforeColon: "A header's name is followed by a blank."
        case .missingColon: "A header line has no colon."
        case .controlInValue: "A header's value holds a control character."
        case .tooManyFields: "There are too many header lines."
        case .headTooLarge: "The header is too large."
        }
    }
}

extension ProxyHeader {
    /// Why bytes are no header.
    public enum Fault: Error, Sendable, Equatable, CaseIterable {
        /// They begin as neither version does.
        case noHeader
        /// The stream has ended before the header did.
        case cutOff
        /// More bytes than a header may have.
        case tooLong
        /// Version 1: a carriage return or a line feed without the other one.
        case badLineEnd
        /// Version 1: neither TCP4, TCP6 nor UNKNOWN.
        case unknownProtocol
        /// Version 1: not two addresses and two ports with one space before each.
        case badFields
        case badAddress
        case badPort
        /// Version 2 in its signature, but another one behind it.
        case unknownVersion
        case unknownCommand
        case unknownFamily
        case unknownTransport
        /// It speaks of a datagram, on a stream.
        case datagram
        /// The addresses do not fit into the length that is given.
        case addressesCutOff
        /// A type-length-value field does not fit into what is left.
        case fieldCutOff
        /// A field that means something is there twice.
        case repeatedField
        /// A field's value has not the length that its type wants.
        case badFieldLength
        case wrongChecksum

        /// What the log says, a few words.
        public var explanation: String {
            switch self {
            case .noHeader: "it does not begin with one"
            case .cutOff: "it is cut off"
            case .tooLong: "it is too long"
            case .badLineEnd: "its line does not end with CR LF"
            case .unknownProtocol: "its protocol is neither TCP4, TCP6 nor UNKNOWN"
            case .badFields: "it is not made of two addresses and two ports"
            case .badAddress: "an address is none of its protocol"
            case .badPort: "a port is none"
            case .unknownVersion: "its version is not 2"
            case .unknownCommand: "its command is neither LOCAL nor PROXY"
            case .unknownFamily: "its address family is unknown"
            case .unknownTransport: "its transport protocol is unknown"
            case .datagram: "it is about a datagram"
            case .addressesCutOff: "its length leaves no room for its addresses"
            case .fieldCutOff: "a field is longer than what is left"
            case .repeatedField: "a field is there twice"
            case .badFieldLength: "a field has not the length of its type"
            case .wrongChecksum: "its checksum is wrong"
            }
        }
    }
}

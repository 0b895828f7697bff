/// Why a text is not the YAML that is read here.
public struct YAMLError: Error, Hashable, Sendable {
    /// What is wrong, in words.
    public let message: String
    /// Where it is.
    public let position: YAMLPosition

    /// An error at a position.
    public init(_ message: String, at position: YAMLPosition) {
        self.message = message
        self.position = position
    }
}

extension YAMLError: CustomStringConvertible {
    /// `3:7: what is wrong`
    public var description: String { "\(position.line):\(position.column): \(message)" }
}

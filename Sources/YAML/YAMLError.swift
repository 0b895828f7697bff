/// Why a text is not the YAML that is read here.
public struct YAMLError: Error, Hashable, Sendable {
    /// What is wrong, in words.
    public let message: String
    /// Where it is.
    public let position: YAMLPosition
    /// Where the list, mapping or text begins that is not in order; nil where that says nothing more.
    public let beginning: YAMLPosition?

    /// An error at a position.
    public init(_ message: String, at position: YAMLPosition, beginning: YAMLPosition? = nil) {
        self.message = message
        self.position = position
        self.beginning = beginning
    }
}

extension YAMLError: CustomStringConvertible {
    /// `3:7: what is wrong`
    public var description: String { "\(position.line):\(position.column): \(message)" }
}

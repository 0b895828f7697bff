/// The description of a key for the schema and the documentation.
struct KeyDescription: Sendable {
    /// The key's effect, in a sentence.
    let help: String
    /// The kind of its value, in the documentation's words.
    let type: String
    /// The thing that a number counts, or its units.
    var unit: String?
    /// The default as text, as it would be written.
    var defaultText: String?
    /// The default in words, where it is no fixed value.
    var derivedDefault: String?
    /// Whether the key must be there.
    var isRequired = false
    /// A value as it may be written.
    let example: String
    /// The shapes that its value may have.
    let schema: Shape

    /// The shape of a value, as far as JSON Schema can tell.
    enum Shape: Sendable {
        /// Text that fits one of the schemas.
        case scalar([JSONValue])
        /// Such a text, a mapping with these keys, or a list of at least so many of them.
        case scalarOrList(
            [JSONValue], atLeast: Int,
            mapping: (@Sendable () -> [(name: String, description: KeyDescription)])? = nil)
        /// A mapping with these keys.
        case mapping(@Sendable () -> [(name: String, description: KeyDescription)])
        /// A list of such mappings.
        case list(@Sendable () -> [(name: String, description: KeyDescription)])
    }
}

extension KeyedMapping {
    /// All keys.
    static var descriptions: [(name: String, description: KeyDescription)] {
        keys.map { ($0.name, $0.description) }
    }
}

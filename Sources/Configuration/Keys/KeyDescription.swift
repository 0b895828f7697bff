/// What the schema and the documentation say of a key.
struct KeyDescription: Sendable {
    /// What the key does, in a line or two.
    let help: String
    /// What its value is, in the documentation's words.
    let type: String
    /// What a number counts, or its units.
    var unit: String?
    /// The default as text, as it would be written.
    var defaultText: String?
    /// Where a default comes from that is no fixed value, in words.
    var derivedDefault: String?
    /// Whether the key must be there.
    var isRequired = false
    /// A value as it may be written.
    let example: String
    /// What shapes its value may have.
    let schema: Shape

    /// The shape of a value, as far as JSON Schema can tell.
    enum Shape: Sendable {
        /// Text that fits one of the schemas.
        case scalar([JSONValue])
        /// Such a text, or a mapping where that has keys, or a list of at least so many.
        case scalarOrList(
            [JSONValue], atLeast: Int,
            mapping: (@Sendable () -> [(name: String, description: KeyDescription)])? = nil)
        /// Its keys.
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

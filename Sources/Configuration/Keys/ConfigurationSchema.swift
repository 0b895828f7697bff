/// The JSON Schema (2020-12) of the configuration file, for editors and validators.
///
/// It knows the shape: which keys there are, and what each value may look like. What only makes sense as a whole, such
/// as listeners that overlap, is for `loopbridge check`.
public enum ConfigurationSchema {
    /// The schema as a file.
    public static var text: String {
        var members: [(name: String, value: JSONValue)] = [
            ("$schema", .string("https://json-schema.org/draft/2020-12/schema")),
            ("title", .string("loopbridge configuration")),
            ("description", .string("See docs/configuration.md.")),
        ]
        members += mapping(ConfigurationDraft.descriptions)
        members.append(
            ("$defs", .object([("variable", variable)])))
        return JSONValue.object(members).text() + "\n"
    }

    /// A scalar with the environment's values in it.
    private static let variable = JSONValue.object([
        ("description", .string("A value out of the environment: ${NAME} or ${NAME:-default}.")),
        ("type", .string("string")),
        ("pattern", .string(#"\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\}"#)),
    ])

    private static func mapping(
        _ keys: [(name: String, description: KeyDescription)]
    ) -> [(name: String, value: JSONValue)] {
        let required = keys.filter(\.description.isRequired).map { JSONValue.string($0.name) }
        return [
            ("type", .string("object")),
            ("properties", .object(keys.map { ($0.name, property($0.description)) })),
        ] + (required.isEmpty ? [] : [("required", .array(required))])
            + [("additionalProperties", .boolean(false))]
    }

    private static func property(_ key: KeyDescription) -> JSONValue {
        var members: [(name: String, value: JSONValue)] = [("description", .string(key.help))]
        if let text = key.defaultText { members.append(("default", JSONValue(plain: text))) }
        switch key.schema {
        case .scalar(let schemas):
            members.append(("examples", .array([JSONValue(plain: key.example)])))
            members += alternatives(schemas)
        case .scalarOrList(let texts, let least, let keys):
            let schemas = texts + (keys.map { [.object(mapping($0()))] } ?? [])
            members.append(("examples", .array([JSONValue(plain: key.example)])))
            let items = JSONValue.object(alternatives(schemas))
            let list = JSONValue.object([("type", .string("array")), ("minItems", .number(least)), ("items", items)])
            members += alternatives(schemas + [list])
        case .mapping(let keys):
            members += mapping(keys())
        case .list(let keys):
            members += [("type", .string("array")), ("items", .object(mapping(keys())))]
        }
        return .object(members)
    }

    private static func alternatives(_ schemas: [JSONValue]) -> [(name: String, value: JSONValue)] {
        [("anyOf", .array(schemas + [.object([("$ref", .string("#/$defs/variable"))])]))]
    }
}

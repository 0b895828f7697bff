/// A key of the configuration file as the documentation describes it.
public struct ConfigurationKey: Sendable {
    /// The keys from the top: `log.level`, `routes[].hold`.
    public let path: String
    /// The key itself: `level`.
    public let name: String
    /// The kind of its value, in words: `duration`.
    public let type: String
    /// The thing that a number counts, or the units that are written with it; nil for none.
    public let unit: String?
    /// The value that holds when nobody gives one, as it would be written; nil where there is none.
    public let defaultText: String?
    /// The default in words, where it is no fixed value.
    public let derivedDefault: String?
    /// Whether it must be there.
    public let isRequired: Bool
    /// Its effect, in a sentence.
    public let help: String
    /// A value as it may be written.
    public let example: String
    /// The option of the same meaning, without dashes.
    public let option: String?

    /// All keys, each mapping in front of what it holds.
    public static let all: [ConfigurationKey] = keys(ConfigurationDraft.descriptions, under: KeyPathText())

    private static func keys(
        _ keys: [(name: String, description: KeyDescription)], under outer: KeyPathText
    ) -> [ConfigurationKey] {
        keys.flatMap { name, description in
            let path = outer.appending(name)
            let key = ConfigurationKey(
                path: path.description, name: name, type: description.type, unit: description.unit,
                defaultText: description.defaultText, derivedDefault: description.derivedDefault,
                isRequired: description.isRequired, help: description.help, example: description.example,
                option: ConfigurationOption.all.first { $0.sets(path) }?.name)
            let inner: [ConfigurationKey] =
                switch description.schema {
                case .scalar, .scalarOrList(_, _, nil): []
                case .scalarOrList(_, _, let inner?): Self.keys(inner(), under: KeyPathText("\(path)[]"))
                case .mapping(let inner): Self.keys(inner(), under: path)
                case .list(let inner): Self.keys(inner(), under: KeyPathText("\(path)[]"))
                }
            return [key] + inner
        }
    }
}

/// A setting that the command line and the environment know: what `--help`, the documentation and the reading of
/// both are made from.
public struct ConfigurationOption: Sendable {
    /// The option's name without dashes: `connect-timeout`.
    public let name: String
    /// The placeholder of the value: `DURATION`.
    public let placeholder: String
    /// Its effect, in one line.
    public let help: String
    /// The value that holds when nobody gives one, as text: `1s`.
    public let defaultText: String

    private let binding: KeyOption<ConfigurationDraft>

    private init(_ binding: KeyOption<ConfigurationDraft>) {
        name = binding.name
        placeholder = binding.placeholder
        help = binding.help
        defaultText = binding.defaultText
        self.binding = binding
    }

    /// The environment variable of the same meaning: `LOOPBRIDGE_CONNECT_TIMEOUT`.
    public var environmentVariable: String {
        Self.environmentPrefix + name.uppercased().replacing("-", with: "_")
    }

    /// All options, in the order of the configuration file's keys.
    public static let all: [ConfigurationOption] = ConfigurationDraft.keys.flatMap(\.options).map {
        ConfigurationOption($0)
    }

    /// The prefix of every environment variable of loopbridge.
    public static let environmentPrefix = "LOOPBRIDGE_"
    /// The variable that gives routes, separated by spaces or commas.
    public static let routesVariable = "LOOPBRIDGE_ROUTES"
    /// The variables of those options that belong to one command and not to the configuration.
    public static let commandVariables = [
        "LOOPBRIDGE_STOP_TIMEOUT", "LOOPBRIDGE_ONLY", "LOOPBRIDGE_EXCEPT", "LOOPBRIDGE_WATCH",
    ]
    /// The variable that names the configuration file.
    public static let fileVariable = "LOOPBRIDGE_CONFIG"

    /// The same setting's key in the file; for a route's setting, the one in `defaults`.
    var key: KeyPathText { binding.key }

    /// The key of a route that the option sets as well; nil where it is not about routes.
    func key(inRoute index: Int) -> KeyPathText? {
        routeKey.map { .route(index).appending($0) }
    }

    /// The keys of the file that the text sets.
    func keys(setBy text: String) -> [KeyPathText] {
        binding.keys?(text).map { key.appending($0) } ?? [key]
    }

    /// Whether the option sets this key of ``ConfigurationKey/path``'s form: of the file, or of each of its routes.
    func sets(_ key: KeyPathText) -> Bool {
        key == self.key || routeKey.map { KeyPathText("routes[]").appending($0) } == key
    }

    /// The key within a route.
    private var routeKey: KeyPathText? { key.within("defaults") }

    /// Whether somebody who writes this into the file means the option.
    func isCalled(_ name: String) -> Bool {
        self.name == name.lowercased().replacing("_", with: "-")
    }

    /// Stores the text's value, in the routes too where it is theirs.
    func apply(_ text: String, to draft: inout ConfigurationDraft) throws(ValueError) {
        let setter = try binding.read(text)
        setter(&draft)
    }
}

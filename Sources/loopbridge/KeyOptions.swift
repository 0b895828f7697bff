import ArgumentParser
import Configuration

/// The options of the configuration's keys, as many as the configuration defines.
///
/// ArgumentParser asks a mirror of the type which options there are, and finds its own `Option`s among the children.
/// Here they are made from ``ConfigurationOption/all``, so that a key with an option is nowhere written down again.
/// The texts are handed on as they are; reading and checking them is the configuration's business, so that a wrong
/// value is explained in the same words wherever it stands.
struct KeyOptions: ParsableArguments, CustomReflectable {
    /// The texts that were given, by the names that the configuration knows.
    private(set) var given: [String: String] = [:]

    init() {}

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Name.self)
        for option in ConfigurationOption.all {
            given[option.name] = try container.decodeIfPresent(String.self, forKey: Name(stringValue: option.name))
        }
    }

    var customMirror: Mirror {
        Mirror(self, children: ConfigurationOption.all.map { (label: $0.name, value: $0.declaration) })
    }

    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}

extension ConfigurationOption {
    /// The option as the parser of the command line takes it.
    fileprivate var declaration: Option<String?> {
        Option(
            name: .customLong(name),
            help: ArgumentHelp(
                "\(help) [\(environmentVariable)] (default: \(defaultText))", valueName: placeholder))
    }
}

internal import YAML

extension Configuration {
    /// The configuration as a file that says every key, and that gives this configuration again when loaded.
    public var yaml: String {
        YAMLNode(encoding: ConfigurationDraft(of: self)).yamlText
    }
}

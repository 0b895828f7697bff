extension ConfigurationFile {
    /// Where ``find(option:environment:defaultPath:)`` looks for a file, whether there is one or not.
    /// - Parameter option: what `--config` says.
    public static func path(option: String?, environment: [String: String]) -> String {
        let variable = environment[ConfigurationOption.fileVariable].flatMap { $0.isEmpty ? nil : $0 }
        return option ?? variable ?? defaultPath
    }
}

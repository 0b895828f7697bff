internal import YAML

/// A configuration file's name and bytes.
public struct ConfigurationFile: Sendable, Equatable {
    /// The file's name, for messages.
    public var path: String
    /// The file's bytes, not parsed yet.
    public var contents: [UInt8]

    /// A file that has been read.
    public init(path: String, contents: [UInt8]) {
        self.path = path
        self.contents = contents
    }

    /// The path that is tried when no file is named.
    public static let defaultPath = "/etc/loopbridge/config.yaml"

    /// Reads a file, of at most 1 MiB.
    /// - Throws: ``ConfigurationErrors`` that says why the file cannot be read.
    public init(reading path: String) throws(ConfigurationErrors) {
        do {
            self.init(path: path, contents: try BoundedFile.read(path))
        } catch {
            throw ConfigurationErrors([Diagnostic(error.description, at: .file(path: path, position: nil))])
        }
    }

    /// Reads the file that the command line names, or else `LOOPBRIDGE_CONFIG`, or else the one at the default
    /// path, which need not exist.
    /// - Parameter option: what `--config` says.
    /// - Returns: nil when no file is named and there is none at the default path.
    /// - Throws: ``ConfigurationErrors`` that says why the file cannot be read.
    public static func find(
        option: String?, environment: [String: String], defaultPath: String = defaultPath
    ) throws(ConfigurationErrors) -> ConfigurationFile? {
        if let path = namedPath(option: option, environment: environment) {
            return try ConfigurationFile(reading: path)
        }
        do {
            return ConfigurationFile(path: defaultPath, contents: try BoundedFile.read(defaultPath))
        } catch .notFound {
            return nil
        } catch {
            throw ConfigurationErrors([Diagnostic(error.description, at: .file(path: defaultPath, position: nil))])
        }
    }

    /// The path that ``find(option:environment:defaultPath:)`` tries, whether there is a file or not.
    /// - Parameter option: what `--config` says.
    public static func path(option: String?, environment: [String: String]) -> String {
        namedPath(option: option, environment: environment) ?? defaultPath
    }

    /// The path that the command line or the environment names; nil for none.
    private static func namedPath(option: String?, environment: [String: String]) -> String? {
        option ?? environment[ConfigurationOption.fileVariable].flatMap { $0.isEmpty ? nil : $0 }
    }
}

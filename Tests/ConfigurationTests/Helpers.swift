import Configuration
import Testing

/// What loading gives: the configuration, or the errors as they are printed.
func load(
    yaml: String? = nil, environment: [String: String] = [:], options: [String: String] = [:], routes: [String] = []
) -> Result<Configuration, ConfigurationErrors> {
    let file = yaml.map { ConfigurationFile(path: "config.yaml", contents: Array($0.utf8)) }
    let sources = ConfigurationSources(file: file, environment: environment, options: options, routes: routes)
    return Result { () throws(ConfigurationErrors) in try Configuration.load(sources) }
}

extension Result<Configuration, ConfigurationErrors> {
    /// The errors as text; empty when there are none.
    var errorText: String {
        if case .failure(let errors) = self { errors.description } else { "" }
    }

    /// The first route, or the failure as an error.
    var route: Route {
        get throws { try #require(get().routes.first) }
    }
}

/// What the repository holds besides code.
enum Repository {
    /// The path of a file, from the repository's folder.
    static func path(_ path: String) -> String {
        "/\(#filePath.split(separator: "/").dropLast(3).joined(separator: "/"))/\(path)"
    }

    /// A file of at most 1 MiB.
    static func text(_ path: String) throws -> String {
        String(decoding: try ConfigurationFile(reading: self.path(path)).contents, as: UTF8.self)
    }
}

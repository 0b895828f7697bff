/// A configuration with what is worth knowing about how it came to be.
public struct LoadedConfiguration: Sendable {
    /// The effective configuration.
    public let configuration: Configuration
    /// Warnings: settings that are allowed but surely not meant, in the order of the sources.
    public let warnings: [Diagnostic]
    /// The origin of each value, by the keys of ``Configuration/yaml``.
    let origins: [KeyPathText: ValueOrigin]
    private let file: ConfigurationFile?

    /// Reads all sources as ``Configuration/load(_:requiresRoutes:)`` does.
    /// - Parameter requiresRoutes: whether it is a fault that no source gives a route.
    /// - Throws: ``ConfigurationErrors`` with every fault that was found.
    public init(_ sources: ConfigurationSources, requiresRoutes: Bool = true) throws(ConfigurationErrors) {
        var loader = ConfigurationLoader()
        loader.read(sources)
        let routes = loader.finishedRoutes(required: requiresRoutes)
        guard loader.diagnostics.isEmpty else { throw ConfigurationErrors(loader.diagnostics, in: sources.file) }
        configuration = Configuration(loader.draft.settings, defaults: loader.draft.defaults, routes: routes)
        let settings = loader.settingOrigins
        warnings =
            ConfigurationWarnings(loader.draft, origins: settings, mayFindRoutes: !requiresRoutes).all.inOrder
        origins = loader.resolvedOrigins(from: settings)
        file = sources.file
    }

    /// Faults that were found in it, with the lines of its file.
    func errors(_ diagnostics: [Diagnostic]) -> ConfigurationErrors { ConfigurationErrors(diagnostics, in: file) }

    /// The warnings as a person reads them, with the lines of the file; empty where there are none.
    public var warningReport: String {
        DiagnosticReport(of: warnings, in: file).text
    }
}

extension ConfigurationLoader {
    /// The origin of each value, including those that routes have from `defaults`.
    var settingOrigins: [KeyPathText: ValueOrigin] {
        var result = origins
        let defaults = origins.compactMap { place, origin in place.within("defaults").map { ($0, origin) } }
        for index in draft.routes.indices {
            for (key, origin) in defaults {
                let path = KeyPathText.route(index).appending(key)
                guard result[path] == nil else { continue }
                result[path] = origin
                result[path]?.isInherited = true
            }
        }
        return result
    }

    /// The same origins, with one for each listener where one text means several.
    func resolvedOrigins(from settings: [KeyPathText: ValueOrigin]) -> [KeyPathText: ValueOrigin] {
        var result = settings
        for (index, route) in draft.routes.enumerated() {
            guard let upstream = route.upstream?.value else { continue }
            let list = KeyPathText.route(index).appending("listen")
            let origins = route.listen.indices.map { settings[list.appending(KeyPathText(index: $0))] }
            let resolved = zip(route.listen, origins).flatMap { spec, origin in
                spec.value.resolved(for: upstream).map { _ in origin }
            }
            for (position, origin) in resolved.enumerated() {
                result[list.appending(KeyPathText(index: position))] = origin
            }
        }
        return result
    }
}

internal import YAML

/// The configuration while its sources are read, one after the other, the later above the earlier.
struct ConfigurationDraft: Sendable, Equatable {
    var settings = ProgramSettings()
    /// Settings that every route starts from.
    var defaults = RouteSettings()
    var routes: [RouteDraft] = []
}

extension ConfigurationDraft {
    /// The draft of a finished configuration.
    init(of configuration: Configuration) {
        settings = configuration.settings
        defaults = configuration.defaults
        routes = configuration.routes.map { route in
            let nowhere = Diagnostic.Location.commandLine
            return RouteDraft(
                name: Located(value: route.name, location: nowhere),
                listen: route.listen.map { Located(value: ListenSpec($0), location: nowhere) },
                upstream: Located(value: route.upstream, location: nowhere), protocol: route.protocol,
                settings: route.settings)
        }
    }

    /// The settings of the routes; without routes, the `defaults`.
    var settingsInUse: [(place: KeyPathText, settings: RouteSettings)] {
        let routes = routes.enumerated().map { (place: KeyPathText.route($0), settings: $1.settings) }
        return routes.isEmpty ? [(KeyPathText("defaults"), defaults)] : routes
    }
}

extension ConfigurationDraft: KeyedMapping {
    static let place = ProgramSettings.place

    /// Lists in words the mappings that have a key of this name; nil for an unknown name.
    static func places(of name: String) -> String? {
        func place<Mapping: KeyedMapping>(_: Mapping.Type) -> String? {
            Mapping.descriptions.contains { $0.name == name } ? Mapping.place : nil
        }
        let places = [
            place(ConfigurationDraft.self), place(LogSettings.self), place(AdminSettings.self),
            place(RouteSettings.self),
            place(RouteDraft.self), place(UnixListenDraft.self), place(ProxyProtocolSettings.self),
            place(TLSSettings.self), place(HTTPSettings.self),
        ].compactMap(\.self)
        return places.isEmpty ? nil : listed(places)
    }

    static let keys: [Key<ConfigurationDraft>] =
        ProgramSettings.keys.map { $0.lifted(into: \.settings) } + [defaults, routeList]

    /// Stands in front of the routes, which start from it. What the command line or the environment says of it
    /// goes into the routes that there are, too.
    private static let defaults = Key<ConfigurationDraft>(
        "defaults",
        KeyDescription(
            help: "Settings that every route starts from, including routes given on the command line.", type: "mapping",
            example: "{ hold: 30s }", schema: .mapping { RouteSettings.descriptions }),
        options: RouteSettings.keys.flatMap(\.options).map { option in
            option.lifted(under: "defaults") { setter in
                { draft in
                    setter(&draft.defaults)
                    for index in draft.routes.indices { setter(&draft.routes[index].settings) }
                }
            }
        },
        decode: { node, draft, decoding in decoding.mapping(node, into: &draft.defaults) },
        encode: { draft in YAMLNode(encoding: draft.defaults) })

    static let routesKey = "routes"

    private static let routeList = Key<ConfigurationDraft>(
        routesKey,
        KeyDescription(
            help: "The routes: where clients are accepted, and the app that each one forwards them to.",
            type: "list of mappings",
            example: "[{ listen: 8080, upstream: 8000 }]", schema: .list { RouteDraft.descriptions }),
        decode: { node, draft, decoding in
            guard case .sequence(let items) = node.content else {
                decoding.report("expected a list of routes, found \(node.inWords)", at: node)
                return
            }
            for (index, item) in items.enumerated() {
                var route = RouteDraft(settings: draft.defaults)
                decoding.inside(KeyPathText(index: index)) { $0.mapping(item, into: &route) }
                draft.routes.append(route)
            }
        },
        encode: { draft in
            draft.routes.isEmpty ? nil : YAMLNode(.sequence(draft.routes.map { YAMLNode(encoding: $0) }))
        })
}

internal import YAML

/// The configuration while its sources are read, one after the other, the later above the earlier.
struct ConfigurationDraft: Sendable, Equatable {
    var workers: WorkerCount
    var log: LogSettings
    var admin: AdminSettings
    var drain: Duration
    /// What routes start from.
    var defaults = RouteSettings()
    var routes: [RouteDraft]

    /// The draft of a finished configuration.
    init(of configuration: Configuration) {
        workers = configuration.workers
        log = configuration.log
        admin = configuration.admin
        drain = configuration.drain
        defaults = configuration.defaults
        routes = configuration.routes.map { route in
            let nowhere = Diagnostic.Location.commandLine
            return RouteDraft(
                name: Located(value: route.name, location: nowhere),
                listen: route.listen.map { Located(value: ListenSpec($0), location: nowhere) },
                upstream: Located(value: route.upstream, location: nowhere), protocol: route.protocol,
                settings: RouteSettings(of: route))
        }
    }
}

extension ConfigurationDraft {
    /// Those of the routes; where there are none yet, those that routes will start from.
    var settingsInUse: [(place: KeyPathText, settings: RouteSettings)] {
        let routes = routes.enumerated().map { (place: KeyPathText.route($0), settings: $1.settings) }
        return routes.isEmpty ? [(KeyPathText("defaults"), defaults)] : routes
    }
}

extension ConfigurationDraft: KeyedMapping {
    init() {
        self.init(of: Configuration(routes: []))
    }

    static let place = "at the top level"

    /// Where a key of this name may stand, in words; nil where there is none.
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

    static let keys: [Key<ConfigurationDraft>] = [
        .scalar(
            "workers", .workers, \.workers, option: "workers", unit: "threads",
            help: "How many threads carry traffic; auto is one for each CPU that this process may use.",
            example: "2"),
        .mapping("log", \.log, help: "What is logged, and how.", example: "{ level: debug, format: json }"),
        .mapping(
            "admin", \.admin, help: "Where metrics, health and a status page are served.",
            example: "{ listen: 0.0.0.0:9901 }"),
        .scalar(
            "drain", .duration(), \.drain, option: "drain",
            help: "How long running connections may go on after SIGTERM; 0s resets them at once.", example: "8s"),
        defaults,
        routeList,
    ]

    /// Stands in front of the routes, which start from it. What the command line or the environment says of it
    /// goes into the routes that there are, too.
    private static let defaults = Key<ConfigurationDraft>(
        "defaults",
        KeyDescription(
            help: "What routes start from, those too that the command line gives.", type: "mapping",
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

    private static let routeList = Key<ConfigurationDraft>(
        "routes",
        KeyDescription(
            help: "Where clients are accepted and where they are carried.", type: "list of mappings",
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

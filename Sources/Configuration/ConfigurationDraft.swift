internal import YAML

/// The configuration while its sources are read, one after the other, the later above the earlier.
struct ConfigurationDraft: Sendable, Equatable {
    var workers: WorkerCount
    var log: LogSettings
    var drain: Duration
    /// What routes start from.
    var defaults = RouteSettings()
    var routes: [RouteDraft]

    /// The draft of a finished configuration.
    init(of configuration: Configuration) {
        workers = configuration.workers
        log = configuration.log
        drain = configuration.drain
        defaults = configuration.defaults
        routes = configuration.routes.map { route in
            let nowhere = Diagnostic.Location.commandLine
            return RouteDraft(
                name: Located(value: route.name, location: nowhere),
                listen: route.listen.map { Located(value: ListenSpec($0), location: nowhere) },
                upstream: Located(value: route.upstream, location: nowhere),
                settings: RouteSettings(of: route))
        }
    }
}

extension ConfigurationDraft: KeyedMapping {
    init() {
        self.init(of: Configuration(routes: []))
    }

    static let place = "at the top level"

    static let keys: [Key<ConfigurationDraft>] = [
        .scalar(
            "workers", .workers, \.workers, option: "workers",
            help: "How many threads carry traffic; auto is one for each CPU that this process may use."),
        .mapping("log", \.log, help: "What is logged, and how."),
        .scalar(
            "drain", .duration(), \.drain, option: "drain",
            help: "How long running connections may go on after SIGTERM; 0s resets them at once."),
        defaults,
        routeList,
        .unsupported("admin"),
    ]

    /// Stands in front of the routes, which start from it. What the command line or the environment says of it
    /// goes into the routes that there are, too.
    private static let defaults = Key<ConfigurationDraft>(
        "defaults", help: "What routes start from.", expected: "a mapping",
        options: RouteSettings.keys.flatMap(\.options).map { option in
            option.lifted { setter in
                { draft in
                    setter(&draft.defaults)
                    for index in draft.routes.indices { setter(&draft.routes[index].settings) }
                }
            }
        },
        decode: { node, draft, decoding in decoding.mapping(node, into: &draft.defaults) },
        encode: { draft in YAMLNode(encoding: draft.defaults) })

    private static let routeList = Key<ConfigurationDraft>(
        "routes", help: "Where clients are accepted and where they are carried.", expected: "a list of routes",
        decode: { node, draft, decoding in
            guard case .sequence(let items) = node.content else {
                decoding.report("expected a list of routes, found \(node.inWords)", at: node)
                return
            }
            for item in items {
                var route = RouteDraft(settings: draft.defaults)
                decoding.mapping(item, into: &route)
                draft.routes.append(route)
            }
        },
        encode: { draft in
            draft.routes.isEmpty ? nil : YAMLNode(.sequence(draft.routes.map { YAMLNode(encoding: $0) }))
        })
}

internal import YAML

/// A route as it was written, from whichever source, before it is checked against the others.
struct RouteDraft: Sendable, Equatable {
    var name: Located<String>?
    var listen: [Located<ListenSpec>] = []
    var upstream: Located<UpstreamAddress>?
    var `protocol` = RouteProtocol.tcp
    var settings = RouteSettings()
}

extension RouteDraft: KeyedMapping {
    static let place = "in a route"

    static let keys: [Key<RouteDraft>] =
        [
            .located(
                "name", .name, \.name, defaultText: "the first listen address",
                help: "The route's name in logs and metrics."),
            .locatedList(
                "listen", .listen, \.listen, requiredExample: "8080",
                help: "Where clients are accepted; a port alone means all addresses."),
            .located(
                "upstream", .upstream, \.upstream, requiredExample: "localhost:8000",
                help: "Where the app listens; a port alone means localhost."),
            .scalar("protocol", .protocol, \.protocol, help: "What is carried."),
        ] + RouteSettings.keys.map { $0.lifted(into: \.settings) }
        + [
            "connect", "upstream_connections", "pool", "proxy_protocol", "allow", "deny", "tls", "http",
        ].map(Key.unsupported)
}

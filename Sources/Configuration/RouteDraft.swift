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
                help: "The route's name in logs and metrics; unique.", example: "web"),
            .locatedList(
                "listen", .listen, \.listen,
                help: "Where clients are accepted; a port alone, and *, mean all addresses of both families.",
                example: "8080"),
            .located(
                "upstream", .upstream, \.upstream, isRequired: true,
                help: "Where the app listens; a port alone means localhost, and that 127.0.0.1 and ::1.",
                example: "localhost:8000"),
            .scalar("protocol", .protocol, \.protocol, help: "What is carried.", example: "tcp"),
        ] + RouteSettings.keys.map { $0.lifted(into: \.settings) }
        + [
            "proxy_protocol", "allow", "deny", "tls", "http",
        ].map(Key.unsupported)
}

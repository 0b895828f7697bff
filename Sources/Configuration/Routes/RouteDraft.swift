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
                help: "The route's name in logs and metrics, unique among the routes.", example: "web"),
            .locatedList(
                "listen", .listen, \.listen, form: UnixListenDraft.form,
                help:
                    "The addresses where clients are accepted; a port alone, or *, means all addresses of both families.",
                example: "8080"),
            .located(
                "upstream", .upstream, \.upstream, isRequired: true,
                help: "The address of the app; a port alone means localhost, which is both 127.0.0.1 and ::1.",
                example: "localhost:8000"),
            .scalar(
                "protocol", .protocol, \.protocol,
                help: "The protocol: tcp carries any bytes, http requests and responses, udp datagrams.",
                example: "http"),
        ]
        + RouteSettings.keys.map { key in
            switch key.name {
            case "http": http(key)
            case "tls": tls(key)
            default: key.lifted(into: \.settings)
            }
        }

    /// Reports TLS for datagrams: a route that asks for TLS must not carry plain bytes.
    private static func tls(_ key: Key<RouteSettings>) -> Key<RouteDraft> {
        Key(
            key.name, key.description,
            decode: { node, route, decoding in
                key.decode(node, &route.settings, &decoding)
                if !route.protocol.takesTLS { decoding.report("'tls' is not possible with 'protocol: udp'", at: node) }
            },
            encode: { $0.protocol.takesTLS ? key.encode($0.settings) : nil })
    }

    /// Reports settings of HTTP in a route of another protocol; those from `defaults` may be there.
    private static func http(_ key: Key<RouteSettings>) -> Key<RouteDraft> {
        Key(
            key.name, key.description,
            decode: { node, route, decoding in
                key.decode(node, &route.settings, &decoding)
                if !route.protocol.takesHTTP {
                    decoding.report("'http' has no effect without 'protocol: http' in the same route", at: node)
                }
            },
            encode: { $0.protocol.takesHTTP ? key.encode($0.settings) : nil })
    }
}

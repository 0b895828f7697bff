/// The Host field that an app gets with its requests.
public enum HostPolicy: Sendable, Hashable {
    /// The client's.
    case preserve
    /// The app's own address, ``UpstreamAddress/urlAuthority``.
    case upstream
    /// Always this one: a host name or address, and maybe a port behind a colon.
    case name(String)
}

extension ValueKind<HostPolicy> {
    static let hostWords = ["preserve", "upstream"]

    static var host: ValueKind {
        let label = "[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?"
        return ValueKind(
            "preserve, upstream or a host name", type: "`preserve`, `upstream` or `NAME[:PORT]`",
            placeholder: "preserve|upstream|NAME",
            schemas: [
                .object([("enum", .array(hostWords.map(JSONValue.string)))]),
                .pattern("^(\(label)(\\.\(label))*|\\[[0-9A-Fa-f:.]+\\])(:[0-9]{1,5})?$"),
                // A name of digits, which YAML takes for a number.
                .object([("type", .string("integer")), ("minimum", .number(0))]),
            ],
            parse: { text throws(ValueError) in
                switch text {
                case "preserve": return .preserve
                case "upstream": return .upstream
                default: return try HostName(text).map { .name($0.text) }
                }
            },
            write: { policy in
                switch policy {
                case .preserve: "preserve"
                case .upstream: "upstream"
                case .name(let name): name
                }
            })
    }
}

/// The users of a route of HTTP, by name and password (`http.basic_auth`).
public struct BasicAuthSettings: Settings, KeyedMapping {
    /// The path of a file of users and password hashes; nil asks no client.
    @Setting(
        .scalar(
            "file", .socketPath, \Self.file, option: "basic-auth",
            help: "A file of users and password hashes, as htpasswd -B writes it; with none, no client is asked.",
            example: "/etc/loopbridge/htpasswd"))
    public var file: String? = nil

    /// The text that browsers show when they ask for the password.
    @Setting(
        .scalar(
            "realm", .realm, \Self.realm, help: "The text that browsers show when they ask for the password.",
            example: "the wiki")
    )
    public var realm: String = "loopbridge"

    public init() {}

    static let place = "in 'basic_auth'"
    static let keys = taggedKeys()
}

extension ValueKind<String> {
    /// Text that can stand between quotes in a field of HTTP.
    fileprivate static var realm: ValueKind {
        let longest = 100
        return ValueKind(
            "1 to \(longest) printable ASCII characters without quotes and backslashes",
            type: "text, 1 to \(longest) characters", placeholder: "TEXT",
            schemas: [.pattern("^[ !#-\\[\\]-~]{1,\(longest)}$")],
            parse: { text in
                let isPlain = text.utf8.allSatisfy { 0x20...0x7E ~= $0 && $0 != 0x22 && $0 != 0x5C }
                return isPlain && 1...longest ~= text.utf8.count ? text : nil
            }, write: \.self)
    }
}

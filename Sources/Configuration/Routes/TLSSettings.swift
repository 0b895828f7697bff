/// The settings of TLS toward a route's clients (`tls`).
public struct TLSSettings: Settings, KeyedMapping {
    /// The path of a PEM file; nil turns TLS off.
    @Setting(
        .scalar(
            "certificate", .file, \Self.certificate, option: "tls-certificate",
            help:
                "A PEM file with the certificate, followed by the intermediate ones of its chain; none turns TLS off.",
            example: "/tls/tls.crt"))
    public var certificate: String? = nil

    /// The path of a PEM file; nil if the certificate's file holds the key.
    @Setting(
        .scalar(
            "key", .file, \Self.key, option: "tls-key",
            help: "A PEM file with the certificate's private key; none if the certificate's file holds it.",
            example: "/tls/tls.key"))
    public var key: String? = nil

    /// Further pairs, for other hosts.
    @Setting(
        .mappings(
            "certificates", \Self.certificates,
            help: "Further certificates; the host name that the client asks for (SNI) selects one.",
            example: "[{ certificate: /tls/other.crt, key: /tls/other.key }]"))
    public var certificates: [Pair] = []

    /// The path of a PEM file with the authorities of client certificates; nil asks for none.
    @Setting(
        .scalar(
            "client_ca", .file, \Self.clientCA, option: "tls-client-ca",
            help: "A PEM file with the authorities of client certificates; with none, clients are not asked for any.",
            example: "/tls/ca.crt"))
    public var clientCA: String? = nil

    @Setting(
        .scalar(
            "client_certificate", .choice(), \Self.clientCertificate,
            help: "Whether a certificate of these authorities is required, or a client may connect without one.",
            example: "optional"))
    public var clientCertificate: ClientCertificate = .required

    /// The time limit from a connection's beginning to the end of its handshake.
    @Setting(
        .scalar(
            "handshake_timeout", .duration(atLeast: .milliseconds(1)), \Self.handshakeTimeout,
            help: "The time limit for the TLS handshake.", example: "5s"))
    public var handshakeTimeout: Duration = .seconds(10)

    public init() {}

    static let place = "in 'tls'"
    static let keys = taggedKeys()

    /// Whether the route speaks TLS.
    public var isEnabled: Bool { certificate != nil }

    /// All pairs, the first of which is for clients that name no host, or another one.
    public var pairs: [Pair] {
        certificate.map { [Pair(certificate: $0, key: key)] + certificates } ?? []
    }

    /// Whether clients need a certificate, where ``clientCA`` is set.
    public enum ClientCertificate: String, Sendable, CaseIterable {
        case required
        case optional
    }

    /// The files of a certificate and of its key.
    public struct Pair: Settings, KeyedMapping {
        @Setting(
            .text(
                "certificate", .path, \Self.certificate,
                help: "A PEM file with a certificate and its chain, as in 'tls'.", example: "/tls/other.crt"))
        public var certificate: String = ""

        /// Nil if the certificate's file holds the key.
        @Setting(
            .scalar(
                "key", .file, \Self.key,
                help: "A PEM file with its private key; none if the certificate's file holds it.",
                example: "/tls/other.key"))
        public var key: String? = nil

        public init() {}

        public init(certificate: String, key: String? = nil) {
            self.certificate = certificate
            self.key = key
        }

        static let place = "in 'certificates'"
        static let keys = taggedKeys()
    }
}

extension ValueKind<String> {
    /// The path of a file.
    static var path: ValueKind {
        ValueKind(
            "a file's path", type: "path", placeholder: "PATH", schemas: [pathSchema],
            parse: { text throws(ValueError) in try checkedPath(text) }, write: \.self)
    }

    fileprivate static var pathSchema: JSONValue {
        .object([("type", .string("string")), ("minLength", .number(1)), ("pattern", .string("^[^\\u0000]*$"))])
    }

    fileprivate static func checkedPath(_ text: String) throws(ValueError) -> String? {
        if text.utf8.contains(0) { throw ValueError("a path must not contain NUL") }
        return text.isEmpty ? nil : text
    }
}

extension ValueKind<String?> {
    private static let noFile = "none"

    /// `none`, or the path of a file.
    static var file: ValueKind {
        ValueKind(
            "none or a file's path", type: "`none` or a path", placeholder: "none|PATH",
            schemas: [ValueKind<String>.pathSchema],
            parse: { text throws(ValueError) in
                text == noFile ? .some(nil) : try ValueKind<String>.checkedPath(text).map { .some($0) }
            },
            write: { $0 ?? noFile })
    }
}

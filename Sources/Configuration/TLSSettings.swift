internal import YAML

/// How a route's clients are spoken to in TLS (`tls`).
public struct TLSSettings: Sendable, Equatable {
    /// A certificate's file and its key's.
    public struct Pair: Sendable, Equatable {
        public var certificate: String
        /// Nil where the key is in the certificate's file.
        public var key: String?

        public init(certificate: String, key: String? = nil) {
            self.certificate = certificate
            self.key = key
        }
    }

    /// What is asked of clients where somebody vouches for them.
    public enum ClientCertificate: String, Sendable, CaseIterable {
        case required
        case optional
    }

    /// The path of a PEM file; nil where TLS is not spoken.
    public var certificate: String?
    /// The path of a PEM file; nil where the key is in the certificate's.
    public var key: String?
    /// Further ones, for other hosts.
    public var certificates: [Pair]
    /// The path of a PEM file with the authorities that vouch for clients; nil where clients are not asked.
    public var clientCA: String?
    public var clientCertificate: ClientCertificate
    /// From a connection's beginning to the end of its handshake.
    public var handshakeTimeout: Duration

    public init(
        certificate: String?, key: String? = nil, certificates: [Pair] = [], clientCA: String? = nil,
        clientCertificate: ClientCertificate = .required, handshakeTimeout: Duration = .seconds(10)
    ) {
        self.certificate = certificate
        self.key = key
        self.certificates = certificates
        self.clientCA = clientCA
        self.clientCertificate = clientCertificate
        self.handshakeTimeout = handshakeTimeout
    }

    /// Whether clients are spoken to in TLS at all.
    public var isEnabled: Bool { certificate != nil }

    /// All pairs, the first of which is for clients that name no host, or another one.
    public var pairs: [Pair] {
        certificate.map { [Pair(certificate: $0, key: key)] + certificates } ?? []
    }
}

extension TLSSettings: KeyedMapping {
    public init() {
        self.init(certificate: nil)
    }

    static let place = "in 'tls'"

    static let keys: [Key<TLSSettings>] = [
        .scalar(
            "certificate", .file, \.certificate, option: "tls-certificate",
            help: "A PEM file with the certificate, and behind it those that lead to its authority; none for no TLS.",
            example: "/tls/tls.crt"),
        .scalar(
            "key", .file, \.key, option: "tls-key",
            help: "A PEM file with the certificate's private key; none where that is in the certificate's file.",
            example: "/tls/tls.key"),
        .mappings(
            "certificates", \.certificates,
            help: "Further certificates; the host that the client names decides (SNI).",
            example: "[{ certificate: /tls/other.crt, key: /tls/other.key }]"),
        .scalar(
            "client_ca", .file, \.clientCA, option: "tls-client-ca",
            help: "A PEM file with the authorities that vouch for clients; none does not ask clients for certificates.",
            example: "/tls/ca.crt"),
        .scalar(
            "client_certificate", .choice(), \.clientCertificate,
            help: "Whether a client needs a certificate that client_ca vouches for, or may have none.",
            example: "optional"),
        .scalar(
            "handshake_timeout", .duration(atLeast: .milliseconds(1)), \.handshakeTimeout,
            help: "How long a client may take for the TLS handshake.", example: "5s"),
    ]
}

/// One of the further certificates as it is written.
extension TLSSettings.Pair: KeyedMapping {
    init() {
        self.init(certificate: "")
    }

    static let place = "in 'certificates'"

    static let keys: [Key<TLSSettings.Pair>] = [
        .text(
            "certificate", .path, \.certificate, help: "A PEM file as in 'tls'.", example: "/tls/other.crt"),
        .scalar(
            "key", .file, \.key, help: "A PEM file with its private key; none where that is in the certificate's file.",
            example: "/tls/other.key"),
    ]
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

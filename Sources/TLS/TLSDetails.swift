/// The outcome of a handshake, for whoever tells others about the connection.
public struct TLSDetails: Equatable, Sendable {
    /// `TLSv1.3` or `TLSv1.2`.
    public let version: String
    /// By OpenSSL's name: `TLS_AES_128_GCM_SHA256`.
    public let cipher: String
    /// The host that the client has named, if any (SNI).
    public let serverName: String?
    /// The protocol that was agreed on by ALPN, if any.
    public let applicationProtocol: String?
    /// The session goes on where an earlier connection had ended.
    public let isResumed: Bool
    /// The client's, which an authority vouches for; nil where it has shown none.
    public let clientCertificate: ClientCertificate?

    public struct ClientCertificate: Equatable, Sendable {
        /// As RFC 2253 writes it, in printable ASCII: `CN=alice,O=Example`.
        public let subject: String
        public let commonName: String?
        /// The SHA-256 of the certificate, in hexadecimal digits.
        public let fingerprint: String

        public init(subject: String, commonName: String?, fingerprint: String) {
            self.subject = subject
            self.commonName = commonName
            self.fingerprint = fingerprint
        }
    }
}

/// By what a server speaks TLS: files, and what is asked of clients.
public struct TLSServerSettings: Equatable, Hashable, Sendable {
    /// A certificate and its key.
    public struct Pair: Equatable, Hashable, Sendable {
        /// The path of a PEM file: the certificate first, then those that lead to its authority.
        public var certificate: String
        /// The path of a PEM file with the private key, which has no passphrase.
        public var key: String

        public init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }
    }

    /// The certificates that clients are asked for.
    public enum ClientCertificates: Equatable, Hashable, Sendable {
        case notAsked
        /// One that the authorities in this PEM file vouch for.
        case required(authorities: String)
        /// Such a one or none.
        case optional(authorities: String)
    }

    /// At least one; the first is for clients that name no host, or one that no certificate is for.
    public var pairs: [Pair]
    public var clientCertificates: ClientCertificates
    /// The protocols that may be agreed on by ALPN; where there are none, the client's offer is not looked at.
    public var protocols: [String]

    public init(pairs: [Pair], clientCertificates: ClientCertificates = .notAsked, protocols: [String] = []) {
        self.pairs = pairs
        self.clientCertificates = clientCertificates
        self.protocols = protocols
    }

    /// All files that they name.
    public var files: Set<String> {
        var files = Set(pairs.flatMap { [$0.certificate, $0.key] })
        switch clientCertificates {
        case .notAsked: break
        case .required(let path), .optional(let path): files.insert(path)
        }
        return files
    }
}

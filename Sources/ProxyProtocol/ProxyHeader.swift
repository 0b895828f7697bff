public import Network

/// What a proxy says of a connection in front of its bytes: the header of the PROXY protocol, versions 1 and 2
/// (https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt; the sections named here are that text's).
///
/// ```swift
/// switch ProxyHeader.parse(everythingThatHasArrived) {
/// case .complete(let header, let length): …    // the stream begins behind `length`
/// case .incomplete: …                          // again, when more has arrived
/// case .invalid(let fault): …                  // the connection is to be ended
/// }
/// ```
public struct ProxyHeader: Sendable, Equatable {
    /// Both ends of the connection that the proxy has accepted.
    public struct Endpoints: Sendable, Equatable {
        /// The client.
        public var source: SocketAddress
        /// What the client has connected to.
        public var destination: SocketAddress

        public init(source: SocketAddress, destination: SocketAddress) {
            self.source = source
            self.destination = destination
        }
    }

    /// Nil where the proxy names nobody, because it speaks for itself (LOCAL) or does not know (UNKNOWN, UNSPEC): the
    /// connection's own ends are meant then.
    public var endpoints: Endpoints?
    /// By which the connection is known along its way, at most ``longestUniqueID`` bytes of any kind (section 2.2.5).
    public var uniqueID: [UInt8]?
    /// What the proxy says of the client's TLS; nil where it says nothing.
    public var tls: TLS?

    public init(endpoints: Endpoints? = nil, uniqueID: [UInt8]? = nil, tls: TLS? = nil) {
        self.endpoints = endpoints
        self.uniqueID = uniqueID
        self.tls = tls
    }

    public static let longestUniqueID = 128
}

extension ProxyHeader {
    /// What a proxy says of the TLS between the client and itself (PP2_TYPE_SSL, section 2.2.6). Texts are as they were sent,
    /// of any bytes.
    public struct TLS: Sendable, Equatable {
        /// The client has connected over TLS.
        public var isUsed: Bool
        /// The client has shown a certificate on this connection.
        public var hasCertificate: Bool
        /// It has shown one at least once in the TLS session to which the connection belongs.
        public var hadCertificate: Bool
        /// Zero where a certificate was shown and found to be good, and only there.
        public var verification: UInt32
        /// `TLSv1.3`
        public var version: [UInt8]?
        /// The common name of the client's certificate.
        public var commonName: [UInt8]?
        public var cipher: [UInt8]?
        /// Of the certificate that the client was shown.
        public var signatureAlgorithm: [UInt8]?
        public var keyAlgorithm: [UInt8]?

        public init(
            isUsed: Bool, hasCertificate: Bool = false, hadCertificate: Bool = false, verification: UInt32 = 0,
            version: [UInt8]? = nil, commonName: [UInt8]? = nil, cipher: [UInt8]? = nil,
            signatureAlgorithm: [UInt8]? = nil, keyAlgorithm: [UInt8]? = nil
        ) {
            self.isUsed = isUsed
            self.hasCertificate = hasCertificate
            self.hadCertificate = hadCertificate
            self.verification = verification
            self.version = version
            self.commonName = commonName
            self.cipher = cipher
            self.signatureAlgorithm = signatureAlgorithm
            self.keyAlgorithm = keyAlgorithm
        }

        /// What is to be said of a connection whose TLS ends here.
        /// - Parameters:
        ///   - version: `TLSv1.3`
        ///   - cipher: by OpenSSL's name.
        ///   - certificate: the client's, which was found to be good; nil where it has shown none.
        ///   - isResumed: the session had begun with an earlier connection, on which the certificate was shown.
        public init(version: String, cipher: String, certificate: Certificate?, isResumed: Bool) {
            self.init(
                isUsed: true, hasCertificate: certificate != nil && !isResumed, hadCertificate: certificate != nil,
                verification: certificate == nil ? 1 : 0, version: Array(version.utf8),
                commonName: certificate?.commonName.map { Array($0.utf8) }, cipher: Array(cipher.utf8))
        }

        /// What a client has shown of itself.
        public struct Certificate: Sendable, Equatable {
            /// Nil where its subject has none.
            public var commonName: String?

            public init(commonName: String?) {
                self.commonName = commonName
            }
        }
    }
}

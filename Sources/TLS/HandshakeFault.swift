internal import COpenSSL
public import Network

/// Why a handshake came to nothing.
public enum HandshakeFault: Equatable, Sendable {
    /// The client ended the connection.
    case clientLeft
    /// The connection failed.
    case broken(SocketFailure)
    /// The two could not agree, for this reason: `unsupported protocol`.
    case refused(String)
    /// The client has no certificate, or none that an authority vouches for.
    case clientCertificate(String)
    /// The client does not speak TLS but HTTP.
    case plainHTTP
    /// There was no memory for the connection.
    case outOfMemory

    init(_ failure: TLSLibrary.Failure, verification: Int) {
        if failure.isOutOfMemory {
            self = .outOfMemory
            return
        }
        guard let error = failure.error else {
            self = .refused("unknown")
            return
        }
        guard error.library == ERR_LIB_SSL else {
            self = .refused(error.reason)
            return
        }
        switch error.number {
        case SSL_R_HTTP_REQUEST: self = .plainHTTP
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: self = .clientCertificate("it has shown none")
        case SSL_R_CERTIFICATE_VERIFY_FAILED:
            self = .clientCertificate(String(cString: X509_verify_cert_error_string(verification)))
        default: self = .refused(error.reason)
        }
    }
}

import COpenSSL
import Glibc
import Network

/// A client of TLS in a test: OpenSSL's own, on a non-blocking socket, without a loop.
final class TestClient {
    /// What a client goes by.
    struct Options {
        var serverName: String? = "localhost"
        var version: CInt?
        var protocols: [String] = []
        var certificate: TestAuthority.Files?
        var authority: String?
        /// The session that an earlier connection has left.
        var session: OpaquePointer?
    }

    private let context: OpaquePointer
    let connection: OpaquePointer
    let number: CInt
    private var socket: Socket?
    private(set) var isConnected = false
    /// Everything that has arrived so far.
    private(set) var received: [UInt8] = []
    /// How the stream ended, once it has: 0 for close_notify, otherwise an errno, or -1 for any other failure.
    private(set) var end: CInt?
    /// The reason of the failure that OpenSSL has reported.
    private(set) var failure: String?

    init(_ socket: consuming Socket, _ options: Options = Options()) {
        // OpenSSL's own sockets raise it where the other side has gone.
        signal(SIGPIPE, SIG_IGN)
        number = socket.number
        self.socket = consume socket
        context = SSL_CTX_new(TLS_client_method())!
        if let version = options.version {
            // Old ones are below the usual level of security.
            SSL_CTX_set_security_level(context, 0)
            _ = copenssl_set_versions(context, version, version)
        }
        if let authority = options.authority {
            precondition(SSL_CTX_load_verify_locations(context, authority, nil) == 1)
            SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        }
        if let files = options.certificate {
            precondition(SSL_CTX_use_certificate_file(context, files.certificate, SSL_FILETYPE_PEM) == 1)
            precondition(SSL_CTX_use_PrivateKey_file(context, files.key, SSL_FILETYPE_PEM) == 1)
        }
        connection = SSL_new(context)!
        SSL_set_fd(connection, number)
        SSL_set_connect_state(connection)
        if let name = options.serverName { _ = copenssl_set_server_name(connection, name) }
        if !options.protocols.isEmpty {
            let offer = options.protocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
            precondition(SSL_set_alpn_protos(connection, offer, CUnsignedInt(offer.count)) == 0)
        }
        if let session = options.session { SSL_set_session(connection, session) }
    }

    deinit {
        SSL_free(connection)
        SSL_CTX_free(context)
    }

    /// Goes on with whatever is under way: the handshake first, then reading.
    func proceed() {
        guard end == nil else { return }
        if !isConnected {
            let result = SSL_connect(connection)
            if result == 1 { isConnected = true } else { return note(result) }
        }
        var chunk = [UInt8](repeating: 0, count: 20_000)
        while true {
            let count = SSL_read(connection, &chunk, CInt(chunk.count))
            if count <= 0 { return note(count) }
            received += chunk[..<Int(count)]
        }
    }

    private func note(_ result: CInt) {
        let code = errno
        switch SSL_get_error(connection, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return
        case SSL_ERROR_ZERO_RETURN: end = 0
        case SSL_ERROR_SYSCALL: end = code == 0 ? -1 : code
        default:
            failure = ERR_reason_error_string(ERR_get_error()).map { String(cString: $0) }
            end = -1
        }
        ERR_clear_error()
    }

    /// Sends as much as the kernel takes.
    /// - Returns: how many bytes that was.
    func send(_ bytes: some Collection<UInt8>) -> Int {
        copenssl_set_partial_writes(connection)
        var sent = 0
        let bytes = Array(bytes)
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { SSL_write(connection, $0.baseAddress, CInt($0.count)) }
            if count <= 0 {
                note(count)
                return sent
            }
            sent += Int(count)
        }
        return sent
    }

    /// Sends a text without TLS.
    func sendPlainly(_ text: String) {
        let bytes = Array(text.utf8)
        _ = Glibc.send(number, bytes, bytes.count, 0)
    }

    /// Sends close_notify and goes on reading.
    func finishSending() { SSL_shutdown(connection) }

    /// Ends TCP's stream without close_notify.
    func cutOff() { socket?.finishSending() }

    func close() { socket = nil }

    var peerName: String? {
        guard let certificate = SSL_get1_peer_certificate(connection) else { return nil }
        defer { X509_free(certificate) }
        var text = [CChar](repeating: 0, count: 100)
        let count = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, &text, 100)
        return count < 0 ? nil : String(decoding: text[..<Int(count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

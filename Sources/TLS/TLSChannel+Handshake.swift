internal import CLinux
internal import COpenSSL
internal import Glibc
public import Network

extension TLSChannel {
    /// Goes on with the handshake as far as what the client has said allows.
    /// - Parameter context: what it goes by; taken once the client's first record is there.
    public func handshake(on socket: borrowing Socket, with context: @autoclosure () -> TLSContext?) -> Handshake {
        self.socket = socket.number
        while true {
            if case .open = state { return .done }
            if case .failed = state { return .failed(.broken(Self.violation)) }
            switch receive(upTo: 4 * TLSWorkspace.recordSize) {
            case .moved: break
            case .wouldBlock: return .waiting
            case .endOfStream: return .failed(.clientLeft)
            case .failed(let code): return .failed(.broken(code))
            }
            let connection: OpaquePointer
            if case .handshaking(let known) = state {
                connection = known
            } else {
                guard firstRecordIsWhole() else {
                    if readiness.kernelMayHaveMore { continue }
                    return .waiting
                }
                guard let context = context() else { return .failed(.refused("there is no certificate")) }
                guard let begun = begin(context) else {
                    _ = TLSLibrary.takeFailure()
                    fail(ENOMEM)
                    return .failed(.outOfMemory)
                }
                connection = begun
            }
            let result = SSL_do_handshake(connection)
            if result == 1 {
                state = .open(connection)
                wordlessBytes = 0
                // What was tried in vain on the way is not to be taken for a later call's failure (SSL_get_error(3)).
                ERR_clear_error()
                guard noteCertificate(of: connection) else {
                    workspace.outputCount = 0
                    fail(ENOMEM)
                    return .failed(.outOfMemory)
                }
                holdInput()
                noteWhatIsLeft(connection)
                _ = sendOutput()
                return .done
            }
            if SSL_get_error(connection, result) != SSL_ERROR_WANT_READ {
                let verification = SSL_get_verify_result(connection)
                let failure = TLSLibrary.takeFailure()
                // The alert says why.
                _ = sendOutput()
                fail(failure.code)
                return .failed(HandshakeFault(failure, verification: verification))
            }
            // OpenSSL has taken all of it.
            heldInput = nil
            let error = sendOutput()
            if error != 0 { return .failed(.broken(error)) }
            if !readiness.kernelMayHaveMore { return .waiting }
        }
    }

    /// Opens the connection's state; the first time that the client is listened to.
    /// - Returns: nil where there is no memory for it.
    private func begin(_ context: TLSContext) -> OpaquePointer? {
        guard let connection = SSL_new(context.first) else { return nil }
        let own = Unmanaged.passUnretained(self).toOpaque()
        // The callbacks find the channel by it.
        guard SSL_set_ex_data(connection, 0, own) == 1, let bio = BIO_new(context.method.pointer) else {
            SSL_free(connection)
            return nil
        }
        self.context = context
        BIO_set_data(bio, own)
        SSL_set_bio(connection, bio, bio)
        SSL_set_accept_state(connection)
        state = .handshaking(connection)
        return connection
    }

    /// Finds out who the client is. The app might take one of whom nothing can be told for another, so it is not let in.
    /// - Returns: false where there is no memory for it.
    private func noteCertificate(of connection: OpaquePointer) -> Bool {
        guard let shown = SSL_get1_peer_certificate(connection).map({ Certificate(owning: $0) }) else { return true }
        _ = clinux_allocation_has_failed()
        clientCertificate = TLSDetails.ClientCertificate(
            subject: shown.subject, commonName: shown.commonName, fingerprint: shown.fingerprint)
        ERR_clear_error()
        return !clinux_allocation_has_failed()
    }

    /// Keeps what there is of the client's first record until it is whole. Before that, a client gets nothing else that
    /// would take memory.
    private func firstRecordIsWhole() -> Bool {
        if let held = heldInput {
            let joined = HeldBytes(copying: held.remaining, input)
            heldInput = joined
            input = joined.remaining
        }
        if Self.isWholeRecord(input) { return true }
        holdInput()
        return false
    }

    /// What is no record of a handshake is as whole as it will be: OpenSSL is to say what is wrong with it (RFC 8446 section 5.1).
    private static func isWholeRecord(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.first == UInt8(SSL3_RT_HANDSHAKE) else { return true }
        guard bytes.count >= Int(SSL3_RT_HEADER_LENGTH) else { return false }
        let length = Int(bytes[3]) << 8 | Int(bytes[4])
        return length > TLSWorkspace.recordSize || bytes.count >= Int(SSL3_RT_HEADER_LENGTH) + length
    }

    /// Whether the client has said anything.
    public var hasBegun: Bool {
        if case .plain = state { heldInput != nil } else { true }
    }

    /// What the handshake has brought to light; nil before it is done.
    public var details: TLSDetails? {
        guard case .open(let connection) = state else { return nil }
        var protocolBytes: UnsafePointer<UInt8>?
        var protocolLength: CUnsignedInt = 0
        SSL_get0_alpn_selected(connection, &protocolBytes, &protocolLength)
        let agreed = UnsafeBufferPointer(start: protocolBytes, count: Int(protocolLength))
        return TLSDetails(
            version: String(cString: SSL_get_version(connection)),
            cipher: String(cString: SSL_CIPHER_get_name(SSL_get_current_cipher(connection))),
            serverName: SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name).map { String(cString: $0) },
            applicationProtocol: agreed.isEmpty ? nil : String(decoding: agreed, as: UTF8.self),
            isResumed: SSL_session_reused(connection) == 1,
            clientCertificate: clientCertificate)
    }
}

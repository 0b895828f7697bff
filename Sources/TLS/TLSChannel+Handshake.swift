internal import CLinux
internal import COpenSSL
public import Network

extension TLSChannel {
    /// Goes on with the handshake as far as what the client has said allows.
    /// - Parameter context: what it goes by; taken once the client's first record is there.
    public func handshake(on socket: borrowing Socket, with context: @autoclosure () -> TLSContext?) -> Handshake {
        records.socket = socket.number
        while true {
            if case .open = state { return .done }
            if case .failed = state { return .failed(.broken(.violation)) }
            switch receive(upTo: 4 * TLSWorkspace.recordSize) {
            case .moved: break
            case .wouldBlock: return .waiting
            case .endOfStream: return .failed(.clientLeft)
            case .failed(let failure): return .failed(.broken(failure))
            }
            let connection: OpaquePointer
            if case .handshaking(let known) = state {
                connection = known
            } else {
                guard records.joinInput() else { return .failed(failForWantOfMemory()) }
                guard firstRecordIsWhole() else {
                    if case .failed = records.end { return .failed(failForWantOfMemory()) }
                    if readiness.kernelMayHaveMore { continue }
                    return .waiting
                }
                guard let context = context() else { return .failed(.refused("there is no certificate")) }
                guard let begun = begin(context) else {
                    _ = TLSLibrary.takeFailure()
                    return .failed(failForWantOfMemory())
                }
                connection = begun
            }
            let result = SSL_do_handshake(connection)
            if result == 1 {
                state = .open(connection)
                records.noteWords()
                // What was tried in vain on the way is not to be taken for a later call's failure (SSL_get_error(3)).
                ERR_clear_error()
                guard noteCertificate(of: connection) else {
                    records.workspace.outputCount = 0
                    return .failed(failForWantOfMemory())
                }
                records.holdInput()
                noteWhatIsLeft(connection)
                if records.sendOutput() == .outOfMemory { return .failed(failForWantOfMemory()) }
                return .done
            }
            if SSL_get_error(connection, result) != SSL_ERROR_WANT_READ {
                let verification = SSL_get_verify_result(connection)
                let failure = TLSLibrary.takeFailure()
                // The alert says why.
                _ = records.sendOutput()
                fail(failure.failure)
                return .failed(HandshakeFault(failure, verification: verification))
            }
            // OpenSSL has taken all of it.
            records.noteInputTaken()
            if let failure = records.sendOutput() {
                return .failed(failure == .outOfMemory ? failForWantOfMemory() : .broken(failure))
            }
            if !readiness.kernelMayHaveMore { return .waiting }
        }
    }

    private func failForWantOfMemory() -> HandshakeFault {
        fail(.outOfMemory)
        return .outOfMemory
    }

    /// Opens the connection's state; the first time that the client is listened to.
    /// - Returns: nil where there is no memory for it.
    private func begin(_ context: TLSContext) -> OpaquePointer? {
        guard let connection = SSL_new(context.first) else { return nil }
        guard records.attach(to: connection, by: context.method) else {
            SSL_free(connection)
            return nil
        }
        records.context = context
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
        if Self.isWholeRecord(records.input) { return true }
        records.holdInput()
        return false
    }

    /// Takes what is no record of a handshake for whole: OpenSSL is to say what is wrong with it (RFC 8446 section 5.1).
    private static func isWholeRecord(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.first == UInt8(SSL3_RT_HANDSHAKE) else { return true }
        guard bytes.count >= Int(SSL3_RT_HEADER_LENGTH) else { return false }
        let length = Int(bytes[3]) << 8 | Int(bytes[4])
        return length > TLSWorkspace.recordSize || bytes.count >= Int(SSL3_RT_HEADER_LENGTH) + length
    }

    /// Whether the client has said anything.
    public var hasBegun: Bool {
        if case .plain = state { records.heldInput != nil } else { true }
    }

    /// The outcome of the handshake; nil before it is done.
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

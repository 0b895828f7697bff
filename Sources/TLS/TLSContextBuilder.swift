internal import CLinux
internal import COpenSSL

/// Makes what a ``TLSContext`` consists of, and says what is wrong with the files.
struct TLSContextBuilder {
    private let settings: TLSServerSettings
    private var contexts: [Entry] = []
    private(set) var hosts = HostNames()
    private var authorities: [Certificate] = []

    /// Certificates for the same hosts, each with a key of another kind.
    private struct Entry {
        let context: ContextOwner
        let hosts: [String]
        var keyKinds: [CInt]
    }

    /// Frees a context that nobody has taken.
    private final class ContextOwner {
        var pointer: OpaquePointer?
        init(_ pointer: OpaquePointer) { self.pointer = pointer }
        deinit { SSL_CTX_free(pointer) }
    }

    /// Mozilla's intermediate ones, without the finite-field Diffie-Hellman that costs servers most.
    private static let ciphers = [
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
    ].joined(separator: ":")
    /// Those of TLS 1.3, in Mozilla's order.
    private static let suites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
    private static let groups = "X25519:P-256:P-384"
    /// No key below 2048 bits of RSA, no signature with SHA-1 (SSL_CTX_set_security_level(3)).
    private static let securityLevel: CInt = 2

    init(_ settings: TLSServerSettings) { self.settings = settings }

    /// Gives the contexts up.
    mutating func takeContexts() -> [OpaquePointer] {
        contexts.map { entry in
            defer { entry.context.pointer = nil }
            return entry.context.pointer!
        }
    }

    mutating func build() throws(TLSFault) {
        _ = clinux_allocation_has_failed()
        do throws(TLSFault) {
            try readAuthorities()
            for (index, pair) in settings.pairs.enumerated() { try add(pair, index) }
        } catch {
            // Whatever seems to be wrong with a file then need not be.
            throw clinux_allocation_has_failed() ? .outOfMemory : error
        }
        // A context that lacks something, such as a host or an authority, could let in whom it should not.
        if clinux_allocation_has_failed() { throw .outOfMemory }
    }

    // MARK: Certificates

    private mutating func add(_ pair: TLSServerSettings.Pair, _ index: Int) throws(TLSFault) {
        let chain = try readChain(pair, index)
        let key = try readKey(pair, index)
        let leaf = chain[0]
        guard X509_check_private_key(leaf.pointer, key.pointer) == 1 else {
            ERR_clear_error()
            throw TLSFault(
                .key, ofPair: index, "the key in \(pair.key) is not that of the certificate in \(pair.certificate)")
        }
        let names = leaf.hostNames.sorted()
        let kind = EVP_PKEY_get_base_id(key.pointer)
        // One with another kind of key for the same hosts: the client chooses by what it knows.
        if let same = contexts.firstIndex(where: { $0.hosts == names && !$0.keyKinds.contains(kind) }) {
            contexts[same].keyKinds.append(kind)
            try use(chain, key, in: contexts[same].context, pair, index)
        } else {
            let context = try makeContext()
            try use(chain, key, in: context, pair, index)
            for name in names { hosts.add(name, for: contexts.count) }
            contexts.append(Entry(context: context, hosts: names, keyKinds: [kind]))
        }
    }

    private func readChain(_ pair: TLSServerSettings.Pair, _ index: Int) throws(TLSFault) -> [Certificate] {
        let path = pair.certificate
        let chain: [Certificate]
        do {
            chain = try PEMFile(path).certificates()
        } catch {
            throw TLSFault(.certificate, ofPair: index, "cannot read the certificate \(path): \(error.reason)")
        }
        guard let leaf = chain.first else {
            throw TLSFault(.certificate, ofPair: index, "there is no certificate in \(path) (PEM)")
        }
        switch leaf.validity {
        case .valid: return chain
        case .expired(let date):
            throw TLSFault(.certificate, ofPair: index, "the certificate in \(path) expired on \(date)")
        case .notYet(let date):
            throw TLSFault(.certificate, ofPair: index, "the certificate in \(path) is not valid before \(date)")
        }
    }

    private func readKey(_ pair: TLSServerSettings.Pair, _ index: Int) throws(TLSFault) -> PrivateKey {
        let result: PEMFile.KeyResult
        do {
            result = try PEMFile(pair.key).privateKey()
        } catch {
            throw TLSFault(.key, ofPair: index, "cannot read the key \(pair.key): \(error.reason)")
        }
        switch result {
        case .key(let key): return key
        case .encrypted:
            throw TLSFault(.key, ofPair: index, "the key in \(pair.key) has a passphrase; one without is needed")
        case .none:
            let advice = pair.key == pair.certificate ? ", and no other file is named for it" : ""
            throw TLSFault(.key, ofPair: index, "there is no private key in \(pair.key) (PEM)\(advice)")
        }
    }

    private func use(
        _ chain: [Certificate], _ key: PrivateKey, in owner: ContextOwner, _ pair: TLSServerSettings.Pair, _ index: Int
    ) throws(TLSFault) {
        let context = owner.pointer
        var isUsable = SSL_CTX_use_certificate(context, chain[0].pointer) == 1
        isUsable = isUsable && SSL_CTX_use_PrivateKey(context, key.pointer) == 1
        for certificate in chain.dropFirst() {
            isUsable = isUsable && copenssl_add_chain_certificate(context, certificate.pointer) == 1
        }
        guard !isUsable else { return }
        let reason = TLSLibrary.takeError()?.reason ?? "unknown"
        throw TLSFault(
            .certificate, ofPair: index, "the certificate in \(pair.certificate) can't be used: \(reason)")
    }

    // MARK: Clients

    private mutating func readAuthorities() throws(TLSFault) {
        let path: String
        switch settings.clientCertificates {
        case .notAsked: return
        case .required(let authorities), .optional(let authorities): path = authorities
        }
        do {
            authorities = try PEMFile(path).certificates()
        } catch {
            throw TLSFault(.clientAuthorities, "cannot read the clients' authorities \(path): \(error.reason)")
        }
        if authorities.isEmpty { throw TLSFault(.clientAuthorities, "there is no certificate in \(path) (PEM)") }
        for authority in authorities {
            if case .expired(let date) = authority.validity, authorities.count == 1 {
                throw TLSFault(.clientAuthorities, "the certificate in \(path) expired on \(date)")
            }
        }
    }

    // MARK: Contexts

    private func makeContext() throws(TLSFault) -> ContextOwner {
        guard let context = SSL_CTX_new(TLS_server_method()) else { throw noContext() }
        let owner = ContextOwner(context)
        SSL_CTX_set_security_level(context, Self.securityLevel)
        let isConfigured =
            copenssl_set_versions(context, CInt(TLS1_2_VERSION), CInt(TLS1_3_VERSION)) == 1
            && SSL_CTX_set_cipher_list(context, Self.ciphers) == 1
            && SSL_CTX_set_ciphersuites(context, Self.suites) == 1
            && copenssl_set_groups(context, Self.groups) == 1
        guard isConfigured else { throw noContext() }
        // The cheapest that both know: all of them are good. Who prefers ChaCha20 has no instructions for AES.
        SSL_CTX_set_options(
            context, copenssl_no_renegotiation | copenssl_prefer_own_ciphers | copenssl_but_chacha_first)
        // An idle connection holds no buffers.
        copenssl_set_mode(context, Int(SSL_MODE_RELEASE_BUFFERS))
        // Whoever comes back has a ticket.
        copenssl_disable_session_cache(context)
        SSL_CTX_set_timeout(context, Int(TicketKeys.lifetime.components.seconds))
        guard var identity = sessionIdentity else { throw noContext() }
        guard SSL_CTX_set_session_id_context(context, &identity, CUnsignedInt(identity.count)) == 1 else {
            throw noContext()
        }
        try askForCertificates(context)
        return owner
    }

    /// Why there is none: there was no memory, or this OpenSSL lacks what TLS 1.2 and 1.3 need.
    private func noContext() -> TLSFault {
        TLSFault(.memory, "cannot prepare for TLS: \(TLSLibrary.takeError()?.reason ?? "there is no memory")")
    }

    private func askForCertificates(_ context: OpaquePointer) throws(TLSFault) {
        let mode: CInt
        switch settings.clientCertificates {
        case .notAsked: return
        case .optional: mode = SSL_VERIFY_PEER
        case .required: mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
        }
        SSL_CTX_set_verify(context, mode, nil)
        let store = SSL_CTX_get_cert_store(context)
        for authority in authorities {
            guard X509_STORE_add_cert(store, authority.pointer) == 1,
                SSL_CTX_add_client_CA(context, authority.pointer) == 1
            else { throw noContext() }
        }
    }

    /// Tickets are good only where clients are asked for the same: who was let in elsewhere without a certificate could
    /// come back here with a ticket otherwise.
    private var sessionIdentity: [UInt8]? {
        var description = Array("\(settings.clientCertificates)".utf8)
        for authority in authorities { description += Array(authority.fingerprint.utf8) }
        var digest = [UInt8](repeating: 0, count: 32)
        // Without memory it would be the same for all.
        guard EVP_Digest(description, description.count, &digest, nil, EVP_sha256(), nil) == 1 else { return nil }
        return digest
    }
}

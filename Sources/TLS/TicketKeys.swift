internal import COpenSSL
internal import EventLoop

/// The keys that session tickets are sealed with: a fresh one every hour, and the one before for tickets that are still under
/// way. All workers share them, so that a client may come back to any; nothing is ever written down.
///
/// Callable from every thread. Only handshakes come here.
public final class TicketKeys: Sendable {
    /// The time for which tickets are sealed with one key, and for which a ticket is good.
    public static let lifetime = Duration.seconds(3600)

    private struct State {
        var current: Key
        var previous: Key?
        var rotated: MonotonicTime
    }

    private let state: Guarded<State>

    public init() {
        _ = TLSLibrary.start()
        state = Guarded(State(current: Key(), previous: nil, rotated: .now))
    }

    /// Takes a fresh key now; tickets of the one before the last are worth nothing from then on.
    public func rotate() {
        state.withLock { Self.rotate(&$0, at: .now) }
    }

    private static func rotate(_ state: inout State, at now: MonotonicTime) {
        // A key that has not been used for so long is no use to anybody either.
        state.previous = now.since(state.rotated) < lifetime * 2 ? state.current : nil
        state.current = Key()
        state.rotated = now
    }

    /// Prepares OpenSSL for a ticket (SSL_CTX_set_tlsext_ticket_key_evp_cb(3)).
    /// - Returns: 1 when it may go on, 2 when the client is to get another ticket as well, 0 when the key is unknown.
    func prepare(
        name: UnsafeMutablePointer<UInt8>, vector: UnsafeMutablePointer<UInt8>, cipher: OpaquePointer,
        seal: OpaquePointer, isNew: Bool
    ) -> CInt {
        if isNew {
            let key = current()
            key.name.copy(to: name)
            guard RAND_bytes(vector, EVP_CIPHER_get_iv_length(Self.cipher)) == 1 else { return -1 }
            return key.apply(to: cipher, vector, seal, isNew: true) ? 1 : -1
        }
        guard let (key, isCurrent) = key(called: Key.Name(name)) else { return 0 }
        guard key.apply(to: cipher, vector, seal, isNew: false) else { return -1 }
        return isCurrent ? 1 : 2
    }

    private func current() -> Key {
        let now = MonotonicTime.now
        return state.withLock { state in
            if now.since(state.rotated) >= Self.lifetime { Self.rotate(&state, at: now) }
            return state.current
        }
    }

    private func key(called name: Key.Name) -> (Key, isCurrent: Bool)? {
        let current = current()
        if current.name == name { return (current, true) }
        return state.withLock { $0.previous }.flatMap { $0.name == name ? ($0, false) : nil }
    }

    fileprivate static var cipher: OpaquePointer? { EVP_aes_256_cbc() }

    /// A key's name, and what tickets are encrypted and sealed with.
    private final class Key: Sendable {
        struct Name: Equatable {
            let halves: (UInt64, UInt64)
            static let size = 16

            init(_ bytes: UnsafePointer<UInt8>) {
                let bytes = UnsafeRawPointer(bytes)
                halves = (
                    bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
                )
            }

            func copy(to bytes: UnsafeMutablePointer<UInt8>) {
                let bytes = UnsafeMutableRawPointer(bytes)
                bytes.storeBytes(of: halves.0, as: UInt64.self)
                bytes.storeBytes(of: halves.1, toByteOffset: 8, as: UInt64.self)
            }

            static func == (one: Name, other: Name) -> Bool { one.halves == other.halves }
        }

        private static let size = Name.size + 32 + 32

        /// Written once, at the beginning.
        nonisolated(unsafe) private let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: size)

        init() {
            // From the system itself: OpenSSL may have no memory for its generator.
            var generator = SystemRandomNumberGenerator()
            for index in 0..<Self.size { bytes[index] = generator.next() }
        }

        deinit {
            OPENSSL_cleanse(bytes, Self.size)
            bytes.deallocate()
        }

        var name: Name { Name(bytes) }

        func apply(
            to context: OpaquePointer, _ vector: UnsafeMutablePointer<UInt8>, _ seal: OpaquePointer, isNew: Bool
        ) -> Bool {
            let key = bytes + Name.size
            return EVP_CipherInit_ex(context, TicketKeys.cipher, nil, key, vector, isNew ? 1 : 0) == 1
                && copenssl_set_seal_key(seal, key + 32, 32) == 1
        }
    }
}

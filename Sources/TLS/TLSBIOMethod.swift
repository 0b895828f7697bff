internal import COpenSSL

/// How OpenSSL reads and writes for a ``TLSChannel``: from what was received, and to what is sent together (BIO_meth_new(3)).
///
/// It never changes, and must outlive the connections that go by it; a ``TLSContext`` keeps it.
final class TLSBIOMethod: Sendable {
    /// OpenSSL only reads it.
    nonisolated(unsafe) let pointer: OpaquePointer

    /// There are not many numbers, and nobody looks for a BIO by its own.
    private static let kind = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK

    /// Nil where there is no memory.
    init?() {
        guard let method = BIO_meth_new(Self.kind, "worker's memory") else { return nil }
        pointer = method
        BIO_meth_set_create(method) { bio in
            BIO_set_init(bio, 1)
            return 1
        }
        BIO_meth_set_read(method) { bio, bytes, count in
            guard let bio, let bytes, count > 0, let context = BIO_get_data(bio) else { return -1 }
            copenssl_clear_retry(bio)
            let channel = Unmanaged<TLSChannel>.fromOpaque(context).takeUnretainedValue()
            let taken = channel.take(into: UnsafeMutableRawBufferPointer(start: bytes, count: Int(count)))
            if taken == 0 {
                copenssl_retry_read(bio)
                return -1
            }
            return CInt(taken)
        }
        BIO_meth_set_write(method) { bio, bytes, count in
            guard let bio, let bytes, count > 0, let context = BIO_get_data(bio) else { return -1 }
            Unmanaged<TLSChannel>.fromOpaque(context).takeUnretainedValue().workspace.append(
                UnsafeRawBufferPointer(start: bytes, count: Int(count)))
            return count
        }
        BIO_meth_set_ctrl(method) { _, command, _, _ in
            command == BIO_CTRL_FLUSH ? 1 : 0
        }
    }

    deinit { BIO_meth_free(pointer) }
}

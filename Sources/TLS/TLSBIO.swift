internal import COpenSSL

/// The seam between OpenSSL and a connection's ``TLSRecords``: OpenSSL takes what was received from there and leaves
/// there what is to be sent (BIO_meth_new(3)).
///
/// Only here does OpenSSL have pointers to objects of Swift's. They are not retained: a ``TLSChannel`` has both its records and
/// OpenSSL's state, frees that state first, and OpenSSL calls nobody but from within a call of the channel's.
final class TLSBIOMethod: Sendable {
    /// Read by OpenSSL, and never changed. It must outlive the connections that go by it; a ``TLSContext`` keeps it.
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
            guard let bio, let bytes, count > 0, let records = TLSRecords.behind(bio) else { return -1 }
            copenssl_clear_retry(bio)
            let taken = records.take(into: UnsafeMutableRawBufferPointer(start: bytes, count: Int(count)))
            if taken == 0 {
                copenssl_retry_read(bio)
                return -1
            }
            return CInt(taken)
        }
        BIO_meth_set_write(method) { bio, bytes, count in
            guard let bio, let bytes, count > 0, let records = TLSRecords.behind(bio) else { return -1 }
            let isTaken = records.workspace.append(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
            return isTaken ? count : -1
        }
        BIO_meth_set_ctrl(method) { _, command, _, _ in
            command == BIO_CTRL_FLUSH ? 1 : 0
        }
    }

    deinit { BIO_meth_free(pointer) }
}

extension TLSRecords {
    /// Has OpenSSL's state of the connection read from and write to these records.
    /// - Returns: false where there is no memory for that.
    func attach(to connection: OpaquePointer, by method: TLSBIOMethod) -> Bool {
        let own = Unmanaged.passUnretained(self).toOpaque()
        guard SSL_set_ex_data(connection, 0, own) == 1, let bio = BIO_new(method.pointer) else { return false }
        BIO_set_data(bio, own)
        SSL_set_bio(connection, bio, bio)
        return true
    }

    /// The records of the connection about which OpenSSL calls back.
    static func of(_ connection: OpaquePointer) -> TLSRecords? {
        SSL_get_ex_data(connection, 0).map { Unmanaged<TLSRecords>.fromOpaque($0).takeUnretainedValue() }
    }

    fileprivate static func behind(_ bio: OpaquePointer) -> TLSRecords? {
        BIO_get_data(bio).map { Unmanaged<TLSRecords>.fromOpaque($0).takeUnretainedValue() }
    }
}

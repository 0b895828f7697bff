internal import COpenSSL
internal import EventLoop

/// The bytes of a PEM file, which may be a key: they are wiped when nobody needs them any more.
struct PEMFile: ~Copyable {
    /// No chain of certificates, and no bundle of authorities, is larger.
    private static let limit = 4 << 20

    private let bytes: [UInt8]

    /// Reads a whole file.
    /// - Throws: the reason, in words.
    init(_ path: String) throws(Unreadable) {
        bytes = try Self.read(path)
    }

    private static func read(_ path: String) throws(Unreadable) -> [UInt8] {
        do {
            let bytes = try Descriptor(readingRegularFile: path).readToEnd(limit: limit)
            if bytes.count <= limit { return bytes }
        } catch {
            throw Unreadable(reason: error.reason)
        }
        throw Unreadable(reason: "it is larger than 4 MiB")
    }

    struct Unreadable: Error {
        let reason: String
    }

    deinit {
        bytes.withUnsafeBytes { OPENSSL_cleanse(UnsafeMutableRawPointer(mutating: $0.baseAddress), $0.count) }
    }

    /// Reads from the file's beginning.
    /// - Parameter body: given a BIO that lives as long as the call.
    func read<Result>(_ body: (OpaquePointer) -> Result) -> Result {
        bytes.withUnsafeBytes { bytes in
            guard let input = BIO_new_mem_buf(bytes.baseAddress, CInt(bytes.count)) else { fatalError("out of memory") }
            defer { BIO_free(input) }
            return body(input)
        }
    }

    /// The certificates that the file holds, in its order; what else it holds is left out.
    func certificates() -> [Certificate] {
        read { input in
            var found: [Certificate] = []
            while let certificate = PEM_read_bio_X509_AUX(input, nil, nil, nil) {
                found.append(Certificate(owning: certificate))
            }
            ERR_clear_error()
            return found
        }
    }

    /// The private key that the file holds.
    func privateKey() -> KeyResult {
        read { input in
            var asksForPassphrase = false
            let key = withUnsafeMutablePointer(to: &asksForPassphrase) { asks in
                PEM_read_bio_PrivateKey(
                    input, nil,
                    { _, _, _, context in
                        context?.assumingMemoryBound(to: Bool.self).pointee = true
                        return -1
                    }, asks)
            }
            ERR_clear_error()
            if let key { return .key(PrivateKey(owning: key)) }
            return asksForPassphrase ? .encrypted : .none
        }
    }

    enum KeyResult {
        case key(PrivateKey)
        case encrypted
        case none
    }
}

/// A private key in OpenSSL's keeping, which wipes it when it is freed.
final class PrivateKey {
    let pointer: OpaquePointer

    init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { EVP_PKEY_free(pointer) }
}

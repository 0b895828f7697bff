internal import COpenSSL
internal import EventLoop

/// The bytes of a PEM file, which may be a key: they are wiped when nobody needs them any more.
struct PEMFile: ~Copyable {
    /// No chain of certificates, and no bundle of authorities, is larger.
    private static let limit = 4 << 20

    private var block: UnsafeMutableRawBufferPointer
    private var count = 0

    /// Reads a whole file.
    /// - Throws: the reason, in words.
    init(_ path: String) throws(Unreadable) {
        block = .allocate(byteCount: 16 << 10, alignment: 1)
        do throws(SystemError) {
            let file = try Descriptor(readingRegularFile: path)
            while case let piece = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: block[count...])),
                piece > 0
            {
                count += piece
                if count == block.count, count <= Self.limit { grow() }
            }
        } catch {
            throw Unreadable(reason: error.reason)
        }
        if count > Self.limit { throw Unreadable(reason: "it is larger than 4 MiB") }
    }

    private mutating func grow() {
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * block.count, alignment: 1)
        larger.copyMemory(from: UnsafeRawBufferPointer(block))
        Self.wipe(block)
        block = larger
    }

    private static func wipe(_ block: UnsafeMutableRawBufferPointer) {
        OPENSSL_cleanse(block.baseAddress, block.count)
        block.deallocate()
    }

    struct Unreadable: Error {
        let reason: String
    }

    deinit { Self.wipe(block) }

    /// Reads from the file's beginning.
    /// - Parameter body: given a BIO that lives as long as the call.
    private func read<Result>(_ body: (OpaquePointer) throws(Unreadable) -> Result) throws(Unreadable) -> Result {
        guard let input = BIO_new_mem_buf(block.baseAddress, CInt(count)) else {
            throw Unreadable(reason: "there is no memory for it")
        }
        defer { BIO_free(input) }
        return try TLSLibrary.wipingMemory { () throws(Unreadable) in try body(input) }
    }

    /// The certificates that the file holds, in its order; what else it holds is left out.
    /// - Throws: the reason, where there is one that can't be read. To go without it would change who is trusted.
    func certificates() throws(Unreadable) -> [Certificate] {
        try read { input throws(Unreadable) in
            var found: [Certificate] = []
            while let certificate = PEM_read_bio_X509_AUX(input, nil, nil, nil) {
                found.append(Certificate(owning: certificate))
            }
            let isEnd = copenssl_error_reason(ERR_peek_last_error()) == PEM_R_NO_START_LINE
            ERR_clear_error()
            guard isEnd else { throw Unreadable(reason: "its certificate \(found.count + 1) is damaged") }
            return found
        }
    }

    /// The private key that the file holds.
    /// - Throws: the reason, where there is no memory for it.
    func privateKey() throws(Unreadable) -> KeyResult {
        try read { input throws(Unreadable) in
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

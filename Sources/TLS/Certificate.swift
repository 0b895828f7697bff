internal import COpenSSL
internal import Glibc

/// A certificate in OpenSSL's keeping.
final class Certificate {
    let pointer: OpaquePointer

    init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { X509_free(pointer) }

    enum Validity: Equatable {
        case valid
        /// With the day when it began.
        case notYet(String)
        /// With the day when it ended.
        case expired(String)
    }

    /// Whether it may be used now.
    var validity: Validity {
        if X509_cmp_current_time(X509_get0_notAfter(pointer)) < 0 {
            return .expired(Self.date(X509_get0_notAfter(pointer)))
        }
        if X509_cmp_current_time(X509_get0_notBefore(pointer)) > 0 {
            return .notYet(Self.date(X509_get0_notBefore(pointer)))
        }
        return .valid
    }

    private static func date(_ time: UnsafePointer<ASN1_TIME>?) -> String {
        var parts = tm()
        guard let time, ASN1_TIME_to_tm(time, &parts) == 1 else { return "an unknown day" }
        func digits(_ number: CInt, _ width: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(width - text.utf8.count, 0)) + text
        }
        return "\(digits(parts.tm_year + 1900, 4))-\(digits(parts.tm_mon + 1, 2))-\(digits(parts.tm_mday, 2)) "
            + "\(digits(parts.tm_hour, 2)):\(digits(parts.tm_min, 2)) UTC"
    }

    /// The host names that it is for, in lower case: the alternative names, or where there are none the common name.
    var hostNames: [String] {
        var names: [String] = []
        if let list = X509_get_ext_d2i(pointer, NID_subject_alt_name, nil, nil) {
            let list = OpaquePointer(list)
            defer { GENERAL_NAMES_free(list) }
            for index in 0..<copenssl_name_count(list) {
                guard let name = copenssl_dns_name(list, index) else { continue }
                names.append(Self.text(of: name))
            }
        }
        if names.isEmpty, let name = commonName { names.append(name) }
        return names.map { $0.lowercased() }
    }

    /// The last common name in its subject.
    var commonName: String? {
        guard let subject = X509_get_subject_name(pointer) else { return nil }
        var last: CInt = -1
        while case let next = X509_NAME_get_index_by_NID(subject, NID_commonName, last), next >= 0 { last = next }
        guard last >= 0, let entry = X509_NAME_get_entry(subject, last), let data = X509_NAME_ENTRY_get_data(entry)
        else { return nil }
        var bytes: UnsafeMutablePointer<UInt8>?
        let count = ASN1_STRING_to_UTF8(&bytes, data)
        guard count >= 0, let bytes else { return nil }
        defer { CRYPTO_free(bytes, nil, 0) }
        return String(decoding: UnsafeBufferPointer(start: bytes, count: Int(count)), as: UTF8.self)
    }

    /// Its subject as RFC 2253 writes it, in printable ASCII: `CN=alice,O=Example`.
    var subject: String {
        guard let memory = BIO_new(BIO_s_mem()) else { return "" }
        defer { BIO_free(memory) }
        guard let name = X509_get_subject_name(pointer), copenssl_print_name(memory, name) >= 0 else { return "" }
        var bytes: UnsafeMutablePointer<CChar>?
        let count = copenssl_memory(memory, &bytes)
        guard let bytes, count > 0 else { return "" }
        let raw = UnsafeRawBufferPointer(start: bytes, count: count)
        return String(decoding: raw.map { 0x20...0x7E ~= $0 ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }

    /// The SHA-256 of its DER, in hexadecimal digits.
    var fingerprint: String {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: CUnsignedInt = 0
        guard X509_digest(pointer, EVP_sha256(), &digest, &count) == 1 else { return "" }
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: digest[..<Int(count)].flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private static func text(of string: UnsafePointer<ASN1_STRING>) -> String {
        let bytes = UnsafeBufferPointer(start: ASN1_STRING_get0_data(string), count: Int(ASN1_STRING_length(string)))
        return String(decoding: bytes, as: UTF8.self)
    }
}

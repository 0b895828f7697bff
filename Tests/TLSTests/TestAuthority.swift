import COpenSSL
import Foundation

/// Makes certificates for tests, in files of a folder of its own.
final class TestAuthority {
    /// What a certificate says, and what it is made with.
    struct Request {
        var name = "localhost"
        var hosts: [String] = ["localhost"]
        var organization: String?
        /// When it begins and when it ends, in seconds from now.
        var validity = -3600...86_400
        var usesRSA = false
    }

    /// The paths of a certificate's file and its key's.
    struct Files {
        let certificate: String
        let key: String
    }

    let folder: String
    private let key: OpaquePointer
    private let certificate: OpaquePointer
    private var serial = 1

    init(_ name: String = "Test Authority") {
        folder = NSTemporaryDirectory() + "loopbridge-tls-\(UUID().uuidString)"
        try! FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        key = Self.makeKey(isRSA: false)
        certificate = Self.makeCertificate(
            Request(name: name, hosts: []), serial: 1, key: key, issuer: nil, issuerKey: key)
        Self.write(certificate: certificate, to: path)
    }

    deinit {
        X509_free(certificate)
        EVP_PKEY_free(key)
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Its own certificate.
    var path: String { "\(folder)/authority.crt" }

    /// Makes a certificate with a fresh key.
    /// - Parameter file: what the files are called, but for their endings; those that are there are overwritten.
    @discardableResult
    func issue(_ file: String, _ request: Request = Request()) -> Files {
        serial += 1
        let files = Files(certificate: "\(folder)/\(file).crt", key: "\(folder)/\(file).key")
        let key = Self.makeKey(isRSA: request.usesRSA)
        defer { EVP_PKEY_free(key) }
        let issued = Self.makeCertificate(
            request, serial: serial, key: key, issuer: certificate, issuerKey: self.key)
        defer { X509_free(issued) }
        Self.write(certificate: issued, to: files.certificate)
        Self.write(key: key, to: files.key)
        return files
    }

    /// Writes a key once more, with a passphrase.
    func lock(_ path: String, as locked: String) {
        let input = BIO_new_file(path, "r")!
        let output = BIO_new_file(locked, "w")!
        defer {
            BIO_free(input)
            BIO_free(output)
        }
        let key = PEM_read_bio_PrivateKey(input, nil, nil, nil)!
        defer { EVP_PKEY_free(key) }
        let passphrase = Array("secret".utf8)
        precondition(
            PEM_write_bio_PrivateKey(output, key, EVP_aes_128_cbc(), passphrase, CInt(passphrase.count), nil, nil) == 1)
    }

    private static func makeKey(isRSA: Bool) -> OpaquePointer {
        let context = EVP_PKEY_CTX_new_id(isRSA ? EVP_PKEY_RSA : EVP_PKEY_EC, nil)!
        defer { EVP_PKEY_CTX_free(context) }
        precondition(EVP_PKEY_keygen_init(context) == 1)
        if isRSA {
            precondition(EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048) == 1)
        } else {
            precondition(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) == 1)
        }
        var key: OpaquePointer?
        precondition(EVP_PKEY_keygen(context, &key) == 1)
        return key!
    }

    private static func makeCertificate(
        _ request: Request, serial: Int, key: OpaquePointer, issuer: OpaquePointer?, issuerKey: OpaquePointer
    ) -> OpaquePointer {
        let certificate = X509_new()!
        X509_set_version(certificate, 2)
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial)
        X509_gmtime_adj(X509_getm_notBefore(certificate), request.validity.lowerBound)
        X509_gmtime_adj(X509_getm_notAfter(certificate), request.validity.upperBound)
        X509_set_pubkey(certificate, key)
        let name = X509_get_subject_name(certificate)
        for (field, value) in [("CN", request.name), ("O", request.organization ?? "")] where !value.isEmpty {
            X509_NAME_add_entry_by_txt(name, field, MBSTRING_FLAG, value, -1, -1, 0)
        }
        X509_set_issuer_name(certificate, issuer.map { X509_get_subject_name($0) } ?? name)
        var extensions = [(NID_basic_constraints, issuer == nil ? "critical,CA:TRUE" : "CA:FALSE")]
        if !request.hosts.isEmpty {
            extensions.append((NID_subject_alt_name, request.hosts.map { "DNS:\($0)" }.joined(separator: ",")))
        }
        for (kind, value) in extensions {
            let made = X509V3_EXT_conf_nid(nil, nil, kind, value)!
            X509_add_ext(certificate, made, -1)
            X509_EXTENSION_free(made)
        }
        precondition(X509_sign(certificate, issuerKey, EVP_sha256()) > 0)
        return certificate
    }

    private static func write(certificate: OpaquePointer, to path: String) {
        let file = BIO_new_file(path, "w")!
        defer { BIO_free(file) }
        precondition(PEM_write_bio_X509(file, certificate) == 1)
    }

    private static func write(key: OpaquePointer, to path: String) {
        let file = BIO_new_file(path, "w")!
        defer { BIO_free(file) }
        precondition(PEM_write_bio_PrivateKey(file, key, nil, nil, 0, nil, nil) == 1)
    }
}

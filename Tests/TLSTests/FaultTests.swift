import Foundation
import TLS
import Testing

/// What is wrong with files, in words.
@Suite struct FaultTests {
    let authority = TestAuthority()

    private func fault(
        _ certificate: String, _ key: String, clients: TLSServerSettings.ClientCertificates = .notAsked
    ) -> TLSFault? {
        let good = authority.issue("good")
        let pairs = [
            TLSServerSettings.Pair(certificate: good.certificate, key: good.key),
            .init(certificate: certificate, key: key),
        ]
        do {
            _ = try TLSContext(TLSServerSettings(pairs: pairs, clientCertificates: clients), tickets: TicketKeys())
            return nil
        } catch {
            return error
        }
    }

    @Test func filesThatFitTogetherAreTaken() {
        let files = authority.issue("one")
        #expect(fault(files.certificate, files.key) == nil)
    }

    @Test func aKeyAndItsCertificateMayBeInOneFile() throws {
        let files = authority.issue("one")
        let both = "\(authority.folder)/both.pem"
        try
            (String(contentsOfFile: files.key, encoding: .utf8)
            + String(contentsOfFile: files.certificate, encoding: .utf8))
            .write(toFile: both, atomically: true, encoding: .utf8)
        #expect(fault(both, both) == nil)
    }

    @Test func filesThatCannotBeReadAreNamed() {
        let files = authority.issue("one")
        let missing = "\(authority.folder)/missing.pem"
        #expect(
            fault(missing, files.key)?.description
                == "cannot read the certificate \(missing): No such file or directory")
        #expect(
            fault(files.certificate, missing)?.description
                == "cannot read the key \(missing): No such file or directory")
        #expect(fault(files.certificate, missing)?.part == .key)
        #expect(fault(files.certificate, missing)?.pair == 1)
        #expect(
            fault(authority.folder, files.key)?.description
                == "cannot read the certificate \(authority.folder): Is a directory")
        #expect(fault("/dev/zero", files.key)?.description == "cannot read the certificate /dev/zero: Invalid argument")
    }

    @Test func filesThatHoldSomethingElseAreNamed() {
        let files = authority.issue("one")
        #expect(fault(files.key, files.key)?.description == "there is no certificate in \(files.key) (PEM)")
        #expect(
            fault(files.certificate, files.certificate)?.description
                == "there is no private key in \(files.certificate) (PEM), and no other file is named for it")
        #expect(
            fault(files.certificate, files.key, clients: .required(authorities: files.key))?.part == .clientAuthorities)
    }

    /// To go without it would leave clients without the way to their authority, or let in other ones than before.
    @Test func aDamagedCertificateIsNotLeftOut() throws {
        let (one, other) = (authority.issue("one"), authority.issue("other"))
        let bundle = "\(authority.folder)/bundle.pem"
        let whole = try String(contentsOfFile: one.certificate, encoding: .utf8)
        let damaged = try String(contentsOfFile: other.certificate, encoding: .utf8).replacing("M", with: "%")
        try (whole + damaged).write(toFile: bundle, atomically: true, encoding: .utf8)
        #expect(
            fault(bundle, one.key)?.description
                == "cannot read the certificate \(bundle): its certificate 2 is damaged")
        #expect(
            fault(one.certificate, one.key, clients: .optional(authorities: bundle))?.description
                == "cannot read the clients' authorities \(bundle): its certificate 2 is damaged")
    }

    @Test func aKeyOfAnotherCertificateIsRefused() {
        let (one, other) = (authority.issue("one"), authority.issue("other"))
        #expect(
            fault(one.certificate, other.key)?.description
                == "the key in \(other.key) is not that of the certificate in \(one.certificate)")
    }

    @Test func aCertificateMustBeValidNow() {
        let old = authority.issue("old", .init(validity: -172_800 ... -86_400))
        #expect(fault(old.certificate, old.key)?.description.contains("expired on 20") == true)
        let young = authority.issue("young", .init(validity: 86_400...172_800))
        #expect(fault(young.certificate, young.key)?.description.contains("is not valid before 20") == true)
    }

    @Test func aKeyWithAPassphraseIsRefused() throws {
        let files = authority.issue("one")
        let locked = "\(authority.folder)/locked.key"
        authority.lock(files.key, as: locked)
        #expect(
            fault(files.certificate, locked)?.description
                == "the key in \(locked) has a passphrase; one without is needed")
    }
}

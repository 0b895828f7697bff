/// The certificate of a client that is asked for one, as far as it is known.
public enum ClientCertificate: Sendable, Equatable {
    /// It has shown none.
    case none
    /// One that an authority vouches for.
    /// - subject: printable ASCII, as RFC 2253 writes it.
    /// - fingerprint: hexadecimal digits.
    case verified(subject: [UInt8], fingerprint: [UInt8])

    /// The fields that every request of the client gets.
    var fields: [UInt8] {
        switch self {
        case .none: return Text.certificateVerified + Text.certificateNone + Text.lineEnd
        case .verified(let subject, let fingerprint):
            return Text.certificateVerified + Text.certificateSuccess + Text.lineEnd + Text.certificateSubject + subject
                + Text.lineEnd + Text.certificateFingerprint + fingerprint + Text.lineEnd
        }
    }
}

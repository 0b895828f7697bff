/// A version of HTTP that is spoken here.
public enum Version: UInt8, Sendable {
    case http10, http11
}

/// The meaning of a version's eight bytes.
enum VersionText {
    case known(Version)
    case unsupported
    case malformed

    /// - Parameter word: the bytes, the first one lowest.
    init(_ word: UInt64) {
        let prefix: UInt64 = 0x0000_2F50_5454_48  // "HTTP/"
        let (major, dot, minor) = (UInt8(word >> 40 & 0xFF), UInt8(word >> 48 & 0xFF), UInt8(word >> 56))
        if word & 0xFF_FFFF_FFFF != prefix || !major.isDigit || dot != 0x2E || !minor.isDigit {
            self = .malformed
        } else if major == .zero + 1, minor <= .zero + 1 {
            self = .known(minor == .zero ? .http10 : .http11)
        } else {
            self = .unsupported
        }
    }
}

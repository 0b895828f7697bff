/// The fields of type, length and value behind the addresses of version 2 (sections 2.2.1 to 2.2.7).
extension ProxyHeader {
    /// The types that mean something here; others are skipped.
    enum Field {
        static let checksum: UInt8 = 0x03
        static let uniqueID: UInt8 = 0x05
        static let tls: UInt8 = 0x20
        static let tlsVersion: UInt8 = 0x21
        static let commonName: UInt8 = 0x22
        static let cipher: UInt8 = 0x23
        static let signatureAlgorithm: UInt8 = 0x24
        static let keyAlgorithm: UInt8 = 0x25
    }

    /// The bits of the first byte of what is said of TLS.
    enum TLSFlag {
        static let isUsed: UInt8 = 0x01
        static let hasCertificate: UInt8 = 0x02
        static let hadCertificate: UInt8 = 0x04
        /// These bits, and the result of verifying the certificate.
        static let headLength = 5
    }

    /// Takes what the fields say.
    /// - Parameter header: the whole header, and nothing behind it.
    mutating func readFields(of header: Span<UInt8>, from start: Int) throws(Fault) {
        var hasChecksum = false
        var place = start
        while let (type, value) = try Self.nextField(of: header, &place, end: header.count) {
            switch type {
            case Field.checksum:
                guard !hasChecksum else { throw .repeatedField }
                guard value.count == 4 else { throw .badFieldLength }
                let checksum = UInt32(header.number(at: value.lowerBound, bytes: 4))
                guard CRC32C.checksum(of: header, without: value) == checksum else { throw .wrongChecksum }
                hasChecksum = true
            case Field.uniqueID:
                guard uniqueID == nil else { throw .repeatedField }
                guard value.count <= Self.longestUniqueID else { throw .badFieldLength }
                uniqueID = header.array(value)
            case Field.tls:
                guard tls == nil else { throw .repeatedField }
                tls = try TLS(header, value)
            default: break
            }
        }
    }

    /// The field that begins here, if one does.
    fileprivate static func nextField(
        of header: Span<UInt8>, _ place: inout Int, end: Int
    ) throws(Fault) -> (type: UInt8, value: Range<Int>)? {
        guard place < end else { return nil }
        guard end - place >= 3 else { throw .fieldCutOff }
        let type = header[place]
        let value = place + 3..<place + 3 + Int(header.number(at: place + 1, bytes: 2))
        guard value.upperBound <= end else { throw .fieldCutOff }
        place = value.upperBound
        return (type, value)
    }
}

extension ProxyHeader.TLS {
    fileprivate init(_ header: Span<UInt8>, _ range: Range<Int>) throws(ProxyHeader.Fault) {
        guard range.count >= ProxyHeader.TLSFlag.headLength else { throw .badFieldLength }
        let flags = header[range.lowerBound]
        self.init(
            isUsed: flags & ProxyHeader.TLSFlag.isUsed != 0,
            hasCertificate: flags & ProxyHeader.TLSFlag.hasCertificate != 0,
            hadCertificate: flags & ProxyHeader.TLSFlag.hadCertificate != 0,
            verification: UInt32(header.number(at: range.lowerBound + 1, bytes: 4)))
        var place = range.lowerBound + ProxyHeader.TLSFlag.headLength
        while let (type, value) = try ProxyHeader.nextField(of: header, &place, end: range.upperBound) {
            let text = header.array(value)
            switch type {
            case ProxyHeader.Field.tlsVersion: try Self.set(&version, to: text)
            case ProxyHeader.Field.commonName: try Self.set(&commonName, to: text)
            case ProxyHeader.Field.cipher: try Self.set(&cipher, to: text)
            case ProxyHeader.Field.signatureAlgorithm: try Self.set(&signatureAlgorithm, to: text)
            case ProxyHeader.Field.keyAlgorithm: try Self.set(&keyAlgorithm, to: text)
            default: break
            }
        }
    }

    private static func set(_ field: inout [UInt8]?, to text: [UInt8]) throws(ProxyHeader.Fault) {
        guard field == nil else { throw .repeatedField }
        field = text
    }
}

internal import Network

extension ProxyHeader {
    /// Which of the two forms a header is written in.
    public enum Version: Sendable {
        /// A line of text, which has room for IP addresses and nothing else.
        case v1
        /// The binary form.
        case v2
    }

    /// Appends the header. Addresses of two families of IP are both written as IPv6; where there are none, or where one
    /// is of a Unix socket and the other is not, the header says that the client is unknown: UNKNOWN or LOCAL, as HAProxy
    /// does. (PROXY with UNSPEC would say the same, but HAProxy does not take it.)
    public func write(as version: Version, into output: inout [UInt8]) {
        switch version {
        case .v1: writeText(into: &output)
        case .v2: writeBinary(into: &output)
        }
    }

    // MARK: Version 1

    private func writeText(into output: inout [UInt8]) {
        output += Text.start
        switch (endpoints?.source, endpoints?.destination) {
        case (.ip(let source, let sourcePort, _)?, .ip(let destination, let destinationPort, _)?):
            let isV4 = source.family == .v4 && destination.family == .v4
            output += isV4 ? Text.v4 : Text.v6
            for address in [source, destination] {
                output += " \(isV4 ? address : IPAddress(inV6: address))".utf8
            }
            output += " \(sourcePort) \(destinationPort)".utf8
        default: output += Text.unknown
        }
        output += [Text.carriageReturn, Text.lineFeed]
    }

    // MARK: Version 2

    private func writeBinary(into output: inout [UInt8]) {
        let start = output.count
        output += Binary.signature
        let family = family
        guard family != Binary.unspecified else {
            output += [Binary.version << 4 | Binary.local, Binary.unspecified, 0, 0]
            return
        }
        // The length, once it is known.
        output += [Binary.version << 4 | Binary.proxy, family << 4 | Binary.stream, 0, 0]
        writeAddresses(into: &output)
        writeFields(into: &output)
        // Counts as zeros, and needs the length to be there.
        output.appendField(Field.checksum, [0, 0, 0, 0])
        output.setLength(at: start + Binary.headLength - 2, of: start + Binary.headLength)
        let value = output.count - start - 4..<output.count - start
        let checksum = CRC32C.checksum(of: output.span.extracting(start...), without: value)
        output.removeLast(4)
        output.append(number: checksum)
    }

    private var family: UInt8 {
        switch (endpoints?.source, endpoints?.destination) {
        case (.ip(.v4, _, _)?, .ip(.v4, _, _)?): Binary.v4
        case (.ip?, .ip?): Binary.v6
        case (.unix?, .unix?): Binary.unix
        default: Binary.unspecified
        }
    }

    private func writeAddresses(into output: inout [UInt8]) {
        guard let endpoints else { return }
        switch (endpoints.source, endpoints.destination) {
        case (.ip(let source, let sourcePort, _), .ip(let destination, let destinationPort, _)):
            if case (.v4(let source), .v4(let destination)) = (source, destination) {
                output.append(number: source)
                output.append(number: destination)
            } else {
                for (high, low) in [source.inV6, destination.inV6] {
                    output.append(number: high)
                    output.append(number: low)
                }
            }
            output.append(number: sourcePort)
            output.append(number: destinationPort)
        case (.unix(let source), .unix(let destination)):
            for path in [source, destination] {
                let isAbstract = path.utf8.first == Binary.abstract
                // A path ends with a zero, and a name begins with one.
                var bytes = Array(path.utf8.prefix(isAbstract ? Binary.pathLength : SocketAddress.longestUnixPath))
                if isAbstract { bytes[0] = 0 }
                output += bytes
                output += [UInt8](repeating: 0, count: Binary.pathLength - bytes.count)
            }
        default: break
        }
    }

    /// What a certificate calls its owner is as long as its authority likes, and readers have little room.
    private static let longestFieldText = 256

    private func writeFields(into output: inout [UInt8]) {
        if let uniqueID { output.appendField(Field.uniqueID, uniqueID.prefix(Self.longestUniqueID)) }
        guard let tls else { return }
        output.append(Field.tls)
        output += [0, 0]
        let start = output.count
        output.append(
            (tls.isUsed ? TLSFlag.isUsed : 0)
                | (tls.hasCertificate ? TLSFlag.hasCertificate : 0)
                | (tls.hadCertificate ? TLSFlag.hadCertificate : 0))
        output.append(number: tls.verification)
        let texts = [
            (Field.tlsVersion, tls.version), (Field.commonName, tls.commonName),
            (Field.cipher, tls.cipher),
            (Field.signatureAlgorithm, tls.signatureAlgorithm),
            (Field.keyAlgorithm, tls.keyAlgorithm),
        ]
        for (type, text) in texts {
            // A part of a name could be another's whole one.
            guard let text, text.count <= Self.longestFieldText else { continue }
            output.appendField(type, text[...])
        }
        output.setLength(at: start - 2, of: start)
    }
}

extension [UInt8] {
    fileprivate mutating func appendField(_ type: UInt8, _ value: ArraySlice<UInt8>) {
        append(type)
        append(number: UInt16(value.count))
        self += value
    }

    /// Says in two bytes how much there is behind `start`.
    fileprivate mutating func setLength(at place: Int, of start: Int) {
        let length = UInt16(count - start)
        self[place] = UInt8(length >> 8)
        self[place + 1] = UInt8(truncatingIfNeeded: length)
    }
}

extension IPAddress {
    fileprivate init(inV6 address: IPAddress) {
        let (high, low) = address.inV6
        self = .v6(high, low)
    }
}

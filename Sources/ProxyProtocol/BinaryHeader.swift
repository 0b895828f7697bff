internal import Network

/// Version 2 (section 2.2): a head of 16 bytes, the addresses, and fields of type, length and value.
extension ProxyHeader {
    enum Binary {
        static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
        static let headLength = 16
        static let version: UInt8 = 2
        static let (local, proxy): (UInt8, UInt8) = (0, 1)
        static let (unspecified, stream, datagram): (UInt8, UInt8, UInt8) = (0, 1, 2)
        static let (v4, v6, unix): (UInt8, UInt8, UInt8) = (1, 2, 3)
        /// The room for a Unix socket's path, which ends with a zero where it is shorter.
        static let pathLength = 108
        /// Stands for the zero in front of an abstract name, as everywhere (unix(7)).
        static let abstract = UInt8(ascii: "@")
    }

    static func parseBinary(_ bytes: Span<UInt8>) throws(Fault) -> Progress {
        try expect(Binary.signature, in: bytes)
        // Each of the head's bytes is looked at as soon as it is there.
        guard bytes.count > 12 else { return .incomplete }
        guard bytes[12] >> 4 == Binary.version else { throw .unknownVersion }
        let command = bytes[12] & 0xF
        guard command == Binary.local || command == Binary.proxy else { throw .unknownCommand }
        guard bytes.count > 13 else { return .incomplete }
        let (family, transport) = (bytes[13] >> 4, bytes[13] & 0xF)
        // With LOCAL all that follows is to be ignored.
        if command == Binary.proxy {
            guard family <= Binary.unix else { throw .unknownFamily }
            guard transport <= Binary.datagram else { throw .unknownTransport }
            guard transport != Binary.datagram else { throw .datagram }
        }
        guard bytes.count >= Binary.headLength else { return .incomplete }
        let length = Binary.headLength + Int(bytes.number(at: 14, bytes: 2))
        guard length <= longest else { throw .tooLong }
        let namesNobody = command == Binary.local || family == Binary.unspecified || transport == Binary.unspecified
        guard namesNobody || length >= Binary.headLength + addressesLength(family) else { throw .addressesCutOff }
        guard bytes.count >= length else { return .incomplete }
        // The size of what stands in the addresses' place is unknown then, and so is where fields would begin.
        if namesNobody { return .complete(ProxyHeader(), length: length) }
        let header = bytes.extracting(..<length)
        var result = ProxyHeader(endpoints: endpoints(header, family))
        try result.readFields(of: header, from: Binary.headLength + addressesLength(family))
        return .complete(result, length: length)
    }

    /// How many bytes both addresses take, with their ports.
    private static func addressesLength(_ family: UInt8) -> Int {
        switch family {
        case Binary.v4: 12
        case Binary.v6: 36
        default: 2 * Binary.pathLength
        }
    }

    private static func endpoints(_ bytes: Span<UInt8>, _ family: UInt8) -> Endpoints {
        let start = Binary.headLength
        switch family {
        case Binary.v4:
            func address(_ index: Int) -> SocketAddress {
                .ip(
                    .v4(UInt32(bytes.number(at: start + 4 * index, bytes: 4))),
                    port: UInt16(bytes.number(at: start + 8 + 2 * index, bytes: 2)))
            }
            return Endpoints(source: address(0), destination: address(1))
        case Binary.v6:
            func address(_ index: Int) -> SocketAddress {
                let place = start + 16 * index
                let address = IPAddress.v6(bytes.number(at: place, bytes: 8), bytes.number(at: place + 8, bytes: 8))
                return .ip(address.unmapped, port: UInt16(bytes.number(at: start + 32 + 2 * index, bytes: 2)))
            }
            return Endpoints(source: address(0), destination: address(1))
        default:
            func address(_ index: Int) -> SocketAddress {
                let place = start + Binary.pathLength * index
                return .unix(path: path(bytes.extracting(place..<place + Binary.pathLength)))
            }
            return Endpoints(source: address(0), destination: address(1))
        }
    }

    /// A path up to its zero, or an abstract name, which begins with one. Empty for what is no UTF-8, and for a path that
    /// would look like such a name.
    private static func path(_ bytes: Span<UInt8>) -> String {
        let name = bytes.array(bytes.indices)
        guard name.first == 0 else {
            let path = name.prefix(SocketAddress.longestUnixPath).prefix { $0 != 0 }
            return path.first == Binary.abstract ? "" : String(validating: path, as: UTF8.self) ?? ""
        }
        // How long it is is not said: to the last byte that is none of the zeros behind it.
        guard let last = name.lastIndex(where: { $0 != 0 }) else { return "" }
        return String(validating: name[...last].map { $0 == 0 ? Binary.abstract : $0 }, as: UTF8.self) ?? ""
    }
}

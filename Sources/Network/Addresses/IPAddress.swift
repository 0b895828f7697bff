internal import CLinux
internal import Glibc

/// An IPv4 or IPv6 address, without port or zone.
public enum IPAddress: Hashable, Sendable {
    /// In host byte order: 127.0.0.1 is 0x7F000001.
    case v4(UInt32)
    /// The first and the last eight bytes, each in host byte order.
    case v6(UInt64, UInt64)

    public enum Family: Hashable, Sendable, CaseIterable {
        case v4
        case v6
    }

    public static let loopbackV4 = IPAddress.v4(0x7F00_0001)
    public static let loopbackV6 = IPAddress.v6(0, 1)
    public static let anyV4 = IPAddress.v4(0)
    public static let anyV6 = IPAddress.v6(0, 0)

    public var family: Family {
        switch self {
        case .v4: .v4
        case .v6: .v6
        }
    }

    /// The IPv4 address that an IPv4-mapped one means (RFC 4291 section 2.5.5.2); any other as it is.
    public var unmapped: IPAddress {
        if case .v6(0, let low) = self, low >> 32 == 0xFFFF { .v4(UInt32(truncatingIfNeeded: low)) } else { self }
    }

    /// 127.0.0.0/8 and ::1, and the first of these written as an IPv4-mapped IPv6 address.
    public var isLoopback: Bool {
        switch self {
        case .v4(let bits): bits >> 24 == 127
        case .v6(0, 1): true
        case .v6(let high, let low): high == 0 && low >> 24 == 0x0000_FFFF_7F
        }
    }

    /// 0.0.0.0 and ::, which stand for every address of the machine in a listener.
    public var isUnspecified: Bool {
        self == .anyV4 || self == .anyV6
    }

    /// 169.254.0.0/16 (RFC 3927) and fe80::/10 (RFC 4291 section 2.5.6).
    public var isLinkLocal: Bool {
        switch self {
        case .v4(let bits): bits >> 16 == 0xA9FE
        case .v6(let high, _): high >> 54 == 0x3FA
        }
    }
}

extension IPAddress: LosslessStringConvertible {
    /// Reads `192.0.2.1` or `2001:db8::1` (inet_pton(3)): no brackets, no zone, no port.
    public init?(_ text: String) {
        var v4 = in_addr()
        var v6 = in6_addr()
        if inet_pton(AF_INET, text, &v4) == 1 {
            self.init(v4)
        } else if inet_pton(AF_INET6, text, &v6) == 1 {
            self.init(v6)
        } else {
            return nil
        }
    }

    public var description: String {
        switch self {
        case .v4(let bits): Self.dottedQuad(bits)
        case .v6:
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
                var address = inV6
                inet_ntop(AF_INET6, &address, text.baseAddress, socklen_t(text.count))
                return text.baseAddress.map { String(cString: $0) } ?? ""
            }
        }
    }

    /// Without inet_ntop(3), which has printf write the digits: each client's address is written.
    private static func dottedQuad(_ bits: UInt32) -> String {
        // 15 bytes, the most there are, are a string that takes no memory of its own.
        String(unsafeUninitializedCapacity: Int(INET_ADDRSTRLEN) - 1) { text in
            var count = 0
            func append(_ byte: UInt8) {
                text[count] = byte
                count += 1
            }
            for shift in stride(from: 24, through: 0, by: -8) {
                let part = UInt8(truncatingIfNeeded: bits >> shift)
                if part >= 100 { append(0x30 + part / 100) }
                if part >= 10 { append(0x30 + part / 10 % 10) }
                append(0x30 + part % 10)
                if shift > 0 { append(0x2E) }
            }
            return count
        }
    }
}

extension IPAddress {
    init(_ address: in_addr) {
        self = .v4(UInt32(bigEndian: address.s_addr))
    }

    init(_ address: in6_addr) {
        self = withUnsafeBytes(of: address) { bytes in
            .v6(
                UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }
    }

    /// The address as IPv4's system calls take it; 0.0.0.0 for an IPv6 address.
    var inV4: in_addr {
        if case .v4(let bits) = self { in_addr(s_addr: bits.bigEndian) } else { in_addr() }
    }

    /// The address as IPv6's system calls take it; :: for an IPv4 address.
    var inV6: in6_addr {
        var address = in6_addr()
        if case .v6(let high, let low) = self {
            withUnsafeMutableBytes(of: &address) { bytes in
                bytes.storeBytes(of: high.bigEndian, as: UInt64.self)
                bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
        }
        return address
    }
}

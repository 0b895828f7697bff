internal import CLinux
internal import Glibc

/// An address that a socket can be bound or connected to.
public enum SocketAddress: Hashable, Sendable {
    /// - zone: the interface index that a link-local IPv6 address needs (RFC 4007); otherwise 0.
    case ip(IPAddress, port: UInt16, zone: UInt32 = 0)
    /// A path in the file system, or behind an `@` a name that has no file ("abstract", unix(7)), at most
    /// ``longestUnixPath`` bytes without the `@`. Empty for an unnamed socket.
    case unix(path: String)

    /// The bytes that fit into sockaddr_un behind the family, less the zero that closes a path or opens a name (unix(7)).
    public static let longestUnixPath = 107

    /// The port of an IP address.
    public var port: UInt16? {
        if case .ip(_, let port, _) = self { port } else { nil }
    }

    /// The address without its port, when it is an IP address.
    public var ipAddress: IPAddress? {
        if case .ip(let address, _, _) = self { address } else { nil }
    }

    /// Whether it is an IP address that only this machine reaches.
    public var isOnLoopback: Bool { ipAddress?.isLoopback == true }

    /// Whether it is a Unix socket with a name instead of a file.
    public var isAbstract: Bool {
        if case .unix(let path) = self { path.hasPrefix("@") } else { false }
    }

    /// Whether it is in 127.0.0.0/8, which has as many addresses as one could want; IPv6 has ::1 alone.
    public var isOnLoopbackV4: Bool { ipAddress?.family == .v4 && isOnLoopback }
}

extension SocketAddress: CustomStringConvertible {
    /// `127.0.0.1:8000`, `[::1]:8000`, `[fe80::1%2]:8000`, `unix:/run/app.sock`, `unix:@app`.
    public var description: String {
        switch self {
        case .ip(.v6(let high, let low), let port, let zone):
            "[\(IPAddress.v6(high, low))\(zone == 0 ? "" : "%\(zone)")]:\(port)"
        case .ip(let address, let port, _): "\(address):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

extension SocketAddress {
    /// The protocol family for socket(2).
    var protocolFamily: CInt {
        switch self {
        case .ip(.v4, _, _): AF_INET
        case .ip(.v6, _, _): AF_INET6
        case .unix: AF_UNIX
        }
    }

    /// Calls `body` with the address in the kernel's form, valid during the call only.
    func withKernelForm<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        func pass<Form>(_ form: inout Form, length: Int) -> Result {
            withUnsafePointer(to: &form) { form in
                form.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(length)) }
            }
        }
        switch self {
        case .ip(let address, let port, let zone):
            if address.family == .v4 {
                var form = sockaddr_in()
                form.sin_family = sa_family_t(AF_INET)
                form.sin_port = port.bigEndian
                form.sin_addr = address.inV4
                return pass(&form, length: MemoryLayout<sockaddr_in>.size)
            }
            var form = sockaddr_in6()
            form.sin6_family = sa_family_t(AF_INET6)
            form.sin6_port = port.bigEndian
            form.sin6_addr = address.inV6
            form.sin6_scope_id = zone
            return pass(&form, length: MemoryLayout<sockaddr_in6>.size)
        case .unix(let path):
            var form = sockaddr_un()
            form.sun_family = sa_family_t(AF_UNIX)
            let isAbstract = path.hasPrefix("@")
            let bytes = isAbstract ? [0] + Array(path.utf8.dropFirst()) : Array(path.utf8) + [0]
            precondition(bytes.count <= Self.longestUnixPath + 1, "checked where paths come in")
            withUnsafeMutableBytes(of: &form.sun_path) { $0.copyBytes(from: bytes) }
            return pass(&form, length: MemoryLayout<sockaddr_un>.offset(of: \.sun_path)! + bytes.count)
        }
    }

    private static let at = UInt8(ascii: "@")

    /// Reads what `fill` wrote, as accept(2) and getsockname(2) do; nil when it failed or the family is another.
    static func fromKernelForm(
        _ fill: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> CInt
    ) -> (address: SocketAddress?, result: CInt) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { fill($0, &length) }
        }
        guard result >= 0 else { return (nil, result) }
        return withUnsafeBytes(of: storage) { bytes in
            switch CInt(bytes.load(as: sockaddr.self).sa_family) {
            case AF_INET:
                let form = bytes.load(as: sockaddr_in.self)
                return (.ip(IPAddress(form.sin_addr), port: UInt16(bigEndian: form.sin_port)), result)
            case AF_INET6:
                let form = bytes.load(as: sockaddr_in6.self)
                return (
                    // A socket on [::] that takes IPv4 too has such clients as IPv4-mapped ones.
                    .ip(
                        IPAddress(form.sin6_addr).unmapped, port: UInt16(bigEndian: form.sin6_port),
                        zone: form.sin6_scope_id), result
                )
            case AF_UNIX:
                let start = MemoryLayout<sockaddr_un>.offset(of: \.sun_path)!
                let name = bytes[min(start, Int(length))..<Int(length)]
                // An abstract name begins with a zero and may have others, which are shown as it is.
                let path =
                    name.first == 0 && name.count > 1 ? name.map { $0 == 0 ? at : $0 } : Array(name.prefix { $0 != 0 })
                return (.unix(path: String(decoding: path, as: UTF8.self)), result)
            default: return (nil, result)
            }
        }
    }
}

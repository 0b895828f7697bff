public import Network

/// The settings of the admin port: metrics, health, status (`admin`).
public struct AdminSettings: Settings, KeyedMapping {
    /// The addresses of the admin port; empty turns it off. A port alone is both wildcards.
    @Setting(
        .scalar(
            "listen", .adminListen, \Self.listen, option: "admin-listen",
            help: "The address of the admin port; a port alone means all addresses.",
            example: "0.0.0.0:9901"))
    public var listen: [SocketAddress] = []

    /// The path of a Unix socket that serves the same user; nil for none.
    @Setting(
        .scalar(
            "socket", .socketPath, \Self.socket, option: "admin-socket",
            help: "The path of a Unix socket that serves the same pages, to the user that loopbridge runs as.",
            example: "/run/loopbridge/admin.sock"))
    public var socket: String? = nil

    /// The clients that may ask on ``listen``; empty allows all.
    @Setting(
        .list(
            "allow", .blocks, \Self.allow, option: "admin-allow",
            help: "The addresses that may use the admin port; none allows all.", example: "10.0.0.0/8"))
    public var allow: [CIDR] = []

    /// The clients that may not ask; see ``AccessList``.
    @Setting(
        .list(
            "deny", .blocks, \Self.deny, option: "admin-deny",
            help: "The addresses that may not use the admin port; the longest matching prefix of both lists decides.",
            example: "10.9.0.0/16"))
    public var deny: [CIDR] = []

    public init() {}

    static let place = "in 'admin'"
    static let keys = taggedKeys()
}

extension ValueKind<[SocketAddress]> {
    private static let nowhere = "none"

    /// `none`, a port, or an address and a port.
    static var adminListen: ValueKind {
        let listen = ValueKind<ListenSpec>.listenPort
        return ValueKind(
            "none, \(listen.expected)", type: "`none`, \(listen.type)", placeholder: "none|\(listen.placeholder)",
            schemas: [.object([("const", .string(nowhere))])] + listen.schemas,
            parse: { text throws(ValueError) in
                if text == nowhere { return [] }
                if text.hasPrefix("unix:") { throw ValueError("a Unix socket's path is given in 'socket'") }
                guard !text.isEmpty, text.first != "-" else { return nil }
                return switch try listen.read(text) {
                case .wildcards(let port): [.ip(.anyV4, port: port), .ip(.anyV6, port: port)]
                case .address(let address): [address]
                case .unix, .inherited: nil
                }
            },
            write: { addresses in
                guard let first = addresses.first else { return nowhere }
                return listen.write(addresses.count > 1 ? .wildcards(port: first.port ?? 0) : .address(first))
            })
    }
}

extension ValueKind<String?> {
    private static let noPath = "none"

    /// `none`, or the path of a Unix socket.
    static var socketPath: ValueKind {
        ValueKind(
            "none or an absolute path", type: "`none` or an absolute path", placeholder: "none|PATH",
            schemas: [.object([("const", .string(noPath))]), .pattern("^/")],
            parse: { text throws(ValueError) in
                text == noPath ? .some(nil) : try AddressText.checkedFilePath(text)
            },
            write: { $0 ?? noPath })
    }
}

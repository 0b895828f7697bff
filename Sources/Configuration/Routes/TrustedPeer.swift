public import Network

/// A peer that is believed about who the client is.
public enum TrustedPeer: Hashable, Sendable {
    /// Peers with an address in the block.
    case block(CIDR)
    /// Peers that connect to a Unix socket, whose file decides who may.
    case unixSocket
}

extension TrustedPeer: CustomStringConvertible {
    /// `10.0.0.0/8`, `unix`
    public var description: String {
        switch self {
        case .block(let block): block.description
        case .unixSocket: "unix"
        }
    }
}

extension [TrustedPeer] {
    /// Whether somebody who connects from there is among them.
    public func contains(_ peer: SocketAddress) -> Bool {
        contains { trusted in
            switch trusted {
            case .block(let block): peer.ipAddress.map(block.contains) ?? false
            case .unixSocket: peer.ipAddress == nil
            }
        }
    }
}

extension ValueKind<[TrustedPeer]> {
    /// Blocks of addresses, and `unix`, in one text, with commas or spaces between them; `none` for nobody.
    static var trustedPeers: ValueKind {
        let blocks = ValueKind<[CIDR]>.blocks
        let item = "([0-9A-Fa-f:.]+(/[0-9]{1,3})?|unix)"
        return ValueKind(
            "none, unix, or address blocks such as 10.0.0.0/8",
            type: "`none`, `unix`, address blocks, or a list of these",
            placeholder: "none|unix|CIDR,...",
            schemas: [
                .object([("const", .string(ValueKind<[CIDR]>.noBlocks))]), .pattern("^\(item)([ ,]+\(item))*$"),
            ],
            parse: { text throws(ValueError) in
                if text == ValueKind<[CIDR]>.noBlocks { return [] }
                var peers: [TrustedPeer] = []
                for part in text.split(whereSeparator: { $0 == "," || $0 == " " }) {
                    if part == "unix" {
                        peers.append(.unixSocket)
                    } else {
                        peers += try blocks.read(String(part)).map { .block($0) }
                    }
                }
                return peers.isEmpty ? nil : peers
            },
            write: { peers in
                peers.isEmpty ? ValueKind<[CIDR]>.noBlocks : peers.map(\.description).joined(separator: ", ")
            })
    }
}

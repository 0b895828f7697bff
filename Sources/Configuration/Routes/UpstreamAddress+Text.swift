internal import Network

extension ValueKind<UpstreamAddress> {
    static var upstream: ValueKind {
        ValueKind(
            "a port, HOST:PORT or unix:/PATH", type: "port, `HOST:PORT` or `unix:/PATH`", placeholder: "UPSTREAM",
            schemas: [
                .integer(1...65_535), .pattern("^[0-9]{1,5}$"),
                .pattern("^(localhost|[0-9]+(\\.[0-9]+){3}|\\[[0-9A-Fa-f:.]+(%[0-9]+)?\\]):[0-9]{1,5}$"),
                .pattern("^unix:[/@]"),
            ],
            parse: { text throws(ValueError) in
                let address = try AddressText(text)
                switch (address.parts.count, address.unixPath) {
                case (0, let path?): return .address(.unix(path: path))
                case (1, nil) where address.parts[0].isNumber:
                    return .localhost(port: try address.parts[0].port(lowest: 1))
                case (2, nil):
                    return try UpstreamAddress(address.parts[0], port: try address.parts[1].port(lowest: 1))
                default: return nil
                }
            }, write: \.description)
    }
}

extension UpstreamAddress {
    init(_ host: AddressPart, port: UInt16) throws(ValueError) {
        switch host {
        case .localhost: self = .localhost(port: port)
        case .address(let address, let zone) where !address.isUnspecified:
            self = .address(.ip(address, port: port, zone: zone))
        case .address, .wildcard, .number, .other:
            throw ValueError(
                "\(quoted(host.text)) is no upstream host; "
                    + "expected localhost, an IPv4 address, or an IPv6 address in brackets"
                    + suggestion(nearestName(to: host.text.lowercased(), among: ["localhost"])))
        }
    }
}

internal import Network

extension ValueKind<ListenSpec> {
    /// A port, or an IP address and a port.
    static var listenPort: ValueKind {
        ValueKind(
            "a port or ADDRESS:PORT", type: "port or `ADDRESS:PORT`", placeholder: "ADDRESS",
            schemas: [
                .integer(0...65_535), .pattern("^[0-9]{1,5}$"),
                .pattern("^(\\*|[0-9]+(\\.[0-9]+){3}|\\[[0-9A-Fa-f:.]+(%[0-9]+)?\\]):[0-9]{1,5}$"),
            ],
            parse: { text throws(ValueError) in
                let address = try AddressText(text)
                guard address.unixPath == nil else { return nil }
                switch address.parts.count {
                case 1 where address.parts[0].isNumber:
                    return .wildcards(port: try address.parts[0].port(lowest: 0))
                case 2: return try ListenSpec(address.parts[0], port: try address.parts[1].port(lowest: 0))
                default: return nil
                }
            },
            write: { spec in
                switch spec {
                case .wildcards(let port): "*:\(port)"
                case .address(let address): address.description
                case .unix(let path, _): "unix:\(path)"
                case .inherited(let name): ListenAddress.inherited(name: name).description
                }
            })
    }

    /// A listener of a route, as far as a text can describe it.
    static var listen: ValueKind {
        let port = listenPort
        return ValueKind(
            "a port, ADDRESS:PORT, unix:/PATH or systemd:NAME",
            type: "port, `ADDRESS:PORT`, `unix:/PATH` or `systemd:NAME`", placeholder: "ADDRESS",
            schemas: port.schemas + [.pattern("^unix:[/@]"), .pattern("^systemd(:[^:]+)?$")],
            parse: { text throws(ValueError) in
                if text == "systemd" { return .inherited(name: nil) }
                if text.hasPrefix("systemd:") {
                    return .inherited(name: try AddressText.checkedName(String(text.dropFirst("systemd:".count))))
                }
                guard text.hasPrefix("unix:") else { return try port.parse(text) }
                return .unix(
                    path: try AddressText.checkedPath(String(text.dropFirst("unix:".count))), UnixSocketAccess())
            },
            write: port.write)
    }
}

extension ConfigurationWarnings {
    /// Datagrams are not connections: nothing is opened for them, kept or half-closed, and nothing waits. What a route has
    /// from `defaults` may be meant for others.
    var uselessWithDatagrams: [Diagnostic] {
        let usual = RouteSettings()
        return draft.routes.enumerated().flatMap { index, route -> [Diagnostic] in
            guard route.protocol == .udp else { return [] }
            let settings = route.settings
            let changed = [
                (KeyPathText("hold"), settings.hold != usual.hold),
                (KeyPathText("connect_timeout"), settings.connectTimeout != usual.connectTimeout),
                (KeyPathText("half_close_timeout"), settings.halfCloseTimeout != usual.halfCloseTimeout),
                (KeyPathText("connect"), settings.connect != usual.connect),
                (
                    KeyPathText("upstream_connections").appending("max"),
                    settings.upstreamConnections.max != usual.upstreamConnections.max
                ),
                (KeyPathText("pool").appending("spare"), settings.pool.spare != usual.pool.spare),
                (KeyPathText("pool").appending("idle"), settings.pool.idle != usual.pool.idle),
                (
                    KeyPathText("proxy_protocol").appending("accept"),
                    settings.proxyProtocol.accept != usual.proxyProtocol.accept
                ),
                (
                    KeyPathText("proxy_protocol").appending("send"),
                    settings.proxyProtocol.send != usual.proxyProtocol.send
                ),
            ]
            return changed.compactMap { key, isChanged in
                let origin = origins[KeyPathText.route(index).appending(key)]
                guard isChanged, let origin, !origin.isInherited, origin.isInFile else { return nil }
                return warning("\(key) has no effect with 'protocol: udp'", at: origin)
            }
        }
    }

    /// The options of TLS are for all routes, and whoever has none but of datagrams may believe that these are encrypted.
    var uselessTLS: [Diagnostic] {
        let certificate = KeyPathText("defaults").appending("tls").appending("certificate")
        guard draft.defaults.tls.isEnabled, !draft.routes.isEmpty, !draft.routes.contains(where: \.protocol.takesTLS),
            let origin = origins[certificate]
        else { return [] }
        return [warning("datagrams are not carried in TLS, and no route carries anything else", at: origin)]
    }
}

extension ConfigurationWarnings {
    /// Warns of trusted proxies whose headers are not accepted.
    var uselessTrust: [Diagnostic] {
        settingsInUse.flatMap { place, settings -> [Diagnostic] in
            guard !settings.proxyProtocol.accept else { return [] }
            let mapping = place.appending("proxy_protocol")
            let accept = origins[mapping.appending("accept")]
            let changed = [
                ("trusted_proxies", !settings.proxyProtocol.trustedProxies.isEmpty),
                ("header_timeout", settings.proxyProtocol.headerTimeout != ProxyProtocolSettings().headerTimeout),
            ]
            return changed.compactMap { name, isChanged in
                // A route may well decline what its `defaults` say of others.
                guard isChanged, let origin = origins[mapping.appending(name)], origin.rank >= accept?.rank ?? 0
                else { return nil }
                return warning(
                    "\(name) has no effect: without 'accept: true' in 'proxy_protocol' no PROXY header is accepted",
                    at: origin, note: accept.map { Diagnostic.Note("accept is set", at: $0.location) })
            }
        }
    }

    /// A connection that begins with the client's name is of no use to another client.
    var uselessPools: [Diagnostic] {
        let builtIn = PoolSettings()
        return settingsInUse.enumerated().flatMap { index, place -> [Diagnostic] in
            let settings = place.settings
            guard settings.proxyProtocol.send != .off else { return [] }
            let isHTTP = draft.routes.indices.contains(index) && draft.routes[index].protocol.takesHTTP
            let changed = [
                // Another warning covers spares with an address for each client.
                ("spare", settings.pool.spare > 0 && settings.source != .perClient, settings.pool.spare),
                ("idle", isHTTP && settings.pool.idle > 0 && settings.pool.idle != builtIn.idle, settings.pool.idle),
            ]
            return changed.compactMap { name, isChanged, value in
                guard isChanged, let origin = origins[place.place.appending("pool").appending(name)] else { return nil }
                return warning(
                    "\(name) \(value) has no effect: each client's connection begins with its own PROXY header",
                    at: origin,
                    note: origins[place.place.appending("proxy_protocol").appending("send")].map {
                        Diagnostic.Note("send is set", at: $0.location)
                    })
            }
        }
    }
}

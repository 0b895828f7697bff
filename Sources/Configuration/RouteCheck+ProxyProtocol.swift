extension RouteCheck {
    /// Reports those who would accept a header from nobody.
    /// - Parameters:
    ///   - settings: those of the routes, and where they are.
    ///   - origins: where values were given.
    mutating func checkProxyProtocol(
        _ settings: [(place: KeyPathText, settings: RouteSettings)], origins: [KeyPathText: ValueOrigin]
    ) {
        var seen: Set<Diagnostic> = []
        for (place, settings) in settings {
            let proxyProtocol = settings.proxyProtocol
            guard proxyProtocol.accept, proxyProtocol.trustedProxies.isEmpty,
                let accept = origins[place.appending("proxy_protocol").appending("accept")]
            else { continue }
            let fault = Diagnostic(
                "to accept PROXY headers takes 'trusted_proxies' in 'proxy_protocol': from whom, "
                    + "for example 'trusted_proxies: 10.0.0.0/8'", at: accept.location)
            if seen.insert(fault).inserted { diagnostics.append(fault) }
        }
    }
}

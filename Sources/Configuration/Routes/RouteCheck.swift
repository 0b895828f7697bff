internal import Network

/// Turns drafts into routes, and checks how they fit together.
struct RouteCheck {
    var diagnostics: [Diagnostic] = []
    /// The listeners so far and their claims, for the listeners that follow,
    /// by transport: TCP and UDP share no ports.
    private var claims:
        [RouteProtocol.Transport: [ListenerClaim: (listener: ListenAddress, location: Diagnostic.Location)]] = [:]

    /// The routes of those drafts that are complete.
    /// - Parameter admin: where the admin port listens; nil for nowhere.
    mutating func finish(_ drafts: [RouteDraft], admin: Located<[SocketAddress]>? = nil) -> [Route] {
        var routes: [Route] = []
        var complete: [RouteDraft] = []
        for draft in drafts {
            guard let upstream = draft.upstream?.value, !draft.listen.isEmpty else { continue }
            complete.append(draft)
            routes.append(
                Route(
                    name: draft.name?.value, listen: draft.listen.flatMap { $0.value.resolved(for: upstream) },
                    upstream: upstream, protocol: draft.protocol, settings: draft.settings))
        }
        checkNames(complete, &routes)
        checkListeners(complete)
        if let admin { check(admin.value.map { .address($0) }, at: admin.location) }
        checkLoops(complete, routes)
        checkSources(complete)
        checkDatagrams(complete)
        return routes
    }

    private mutating func checkNames(_ drafts: [RouteDraft], _ routes: inout [Route]) {
        var first: [String: Diagnostic.Location] = [:]
        for name in drafts.compactMap(\.name) {
            if let earlier = first[name.value] {
                diagnostics.append(
                    Diagnostic(
                        "duplicate route name \(quoted(name.value))", at: name.location,
                        note: Diagnostic.Note("first", at: earlier)))
            } else {
                first[name.value] = name.location
            }
        }
        // A name that nobody gave cannot be at fault: it gives way. Listeners with port 0 all look alike.
        var taken = Set(first.keys)
        for index in routes.indices where drafts[index].name == nil {
            let name = routes[index].name
            var number = 1
            while !taken.insert(routes[index].name).inserted {
                number += 1
                routes[index].name = "\(name) (\(number))"
            }
        }
    }

    /// Reports listeners of which the kernel would refuse one.
    private mutating func checkListeners(_ drafts: [RouteDraft]) {
        for draft in drafts {
            guard let upstream = draft.upstream?.value else { continue }
            for spec in draft.listen {
                check(spec.value.resolved(for: upstream), over: draft.protocol.transport, at: spec.location)
            }
        }
    }

    /// Reports what one text means to listen on where that is taken already.
    private mutating func check(
        _ listeners: [ListenAddress], over transport: RouteProtocol.Transport = .tcp, at location: Diagnostic.Location
    ) {
        let taken = claims[transport] ?? [:]
        let clash = listeners.lazy.compactMap { listener in
            listener.conflicts.lazy.compactMap { taken[$0] }.first.map { (listener, $0) }
        }.first
        if let (listener, other) = clash {
            diagnostics.append(
                Diagnostic(
                    listener.inWords == other.listener.inWords
                        ? "\(listener.inWords) is listened on twice"
                        : "\(listener.inWords) overlaps \(other.listener.inWords)",
                    at: location, note: Diagnostic.Note("the other is", at: other.location)))
            return
        }
        for listener in listeners {
            for claim in listener.claims { claims[transport, default: [:]][claim] = (listener, location) }
        }
    }

    /// Reports upstreams from which the routes lead back to where they started.
    private mutating func checkLoops(_ drafts: [RouteDraft], _ routes: [Route]) {
        let next = successors(routes)
        // The walk on which a route was first seen, named by the route where it started.
        var seenFrom = [Int?](repeating: nil, count: routes.count)
        for start in routes.indices {
            var route = start
            while seenFrom[route] == nil, let following = next[route] {
                seenFrom[route] = start
                route = following
            }
            // Only where this walk met itself is there a loop that has not been reported.
            guard seenFrom[route] == start, let second = next[route], let upstream = drafts[route].upstream
            else { continue }
            let through = second == route ? "" : " through route \(quoted(routes[second].name))"
            diagnostics.append(
                Diagnostic(
                    "upstream \(quoted("\(upstream.value)")) leads back to this route\(through)", at: upstream.location)
            )
        }
    }

    /// Reports upstreams to which no client can have an address of its own.
    private mutating func checkSources(_ drafts: [RouteDraft]) {
        for draft in drafts where draft.settings.source == .perClient {
            guard let upstream = draft.upstream, !upstream.value.isOnLoopbackV4 else { continue }
            diagnostics.append(
                Diagnostic(
                    "source per_client is not possible with upstream \(quoted("\(upstream.value)")); "
                        + "it takes an app on 127.0.0.1 or localhost", at: upstream.location))
        }
    }

    /// Reports what datagrams cannot be carried to.
    private mutating func checkDatagrams(_ drafts: [RouteDraft]) {
        for draft in drafts where draft.protocol == .udp {
            for listen in draft.listen {
                guard case .unix(let path, _) = listen.value else { continue }
                diagnostics.append(
                    Diagnostic("protocol udp is not possible on unix:\(path); it takes a UDP port", at: listen.location)
                )
            }
            guard let upstream = draft.upstream, case .address(.unix) = upstream.value else { continue }
            diagnostics.append(
                Diagnostic(
                    "protocol udp is not possible with upstream \(quoted("\(upstream.value)")); it takes a UDP port",
                    at: upstream.location))
        }
    }

    /// For each route the one that listens where it connects to.
    ///
    /// Only what is certain counts: whether a wildcard covers an address is known for loopback only.
    private func successors(_ routes: [Route]) -> [Int?] {
        var listening: [RouteProtocol.Transport: [SocketAddress: Int]] = [:]
        for (index, route) in routes.enumerated() {
            for address in route.listen.compactMap(\.single) {
                if listening[route.protocol.transport]?[address] != nil { continue }
                listening[route.protocol.transport, default: [:]][address] = index
            }
        }
        return routes.map { route in
            let listening = listening[route.protocol.transport] ?? [:]
            return route.upstream.candidates.lazy.compactMap { candidate in
                listening[candidate] ?? candidate.loopbackWildcard.flatMap { listening[$0] }
            }.first
        }
    }
}

extension ListenAddress {
    /// The one address that it is; nil where it is many.
    fileprivate var single: SocketAddress? {
        switch self {
        case .address(let address): address
        case .unix(let path, _): .unix(path: path)
        case .everyNonLoopback, .inherited: nil
        }
    }
}

extension SocketAddress {
    /// The wildcard that covers this address, when it is on loopback.
    fileprivate var loopbackWildcard: SocketAddress? {
        guard let port, let ipAddress, ipAddress.isLoopback else { return nil }
        return .ip(ipAddress.family == .v4 ? .anyV4 : .anyV6, port: port)
    }
}

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

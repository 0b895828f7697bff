extension ConfigurationWarnings {
    /// Only HTTP can tell when a connection is free for the next one. What a route has from `defaults` may be meant for others,
    /// and what is as it would be anyway says nothing.
    var uselessReuse: [Diagnostic] {
        let builtIn = PoolSettings()
        return draft.routes.enumerated().flatMap { index, route in
            let pool = route.settings.pool
            let changed = [
                ("idle", pool.idle != builtIn.idle), ("idle_timeout", pool.idleTimeout != builtIn.idleTimeout),
                ("max_requests", pool.maxRequests != builtIn.maxRequests),
            ]
            return changed.compactMap { name, isChanged -> Diagnostic? in
                let origin = origins[KeyPathText.route(index).appending("pool").appending(name)]
                guard route.protocol == .tcp, isChanged, let origin, !origin.isInherited else { return nil }
                return warning("\(name) has no effect: only 'protocol: http' uses connections again", at: origin)
            }
        }
    }

    /// Warns of options of HTTP without a route of HTTP. Routes that are found carry TCP.
    var uselessOptionsOfHTTP: [Diagnostic] {
        guard !draft.routes.contains(where: \.protocol.takesHTTP) else { return [] }
        let place = KeyPathText("defaults").appending("http")
        let keys = [
            place.appending("host"), place.appending("trusted_proxies"),
            place.appending("basic_auth").appending("file"),
        ]
        return keys.compactMap { key -> Diagnostic? in
            guard let origin = origins[key], origin.rank >= 3 else { return nil }
            return warning(
                "this has no effect: no route carries HTTP, as 8080:8000/http or 'protocol: http' would", at: origin)
        }
    }

    /// A name is allowed, but nobody's host is called that.
    var mistypedHosts: [Diagnostic] {
        settingsInUse.compactMap { place, settings in
            guard case .name(let name) = settings.http.host,
                let meant = nearestName(to: name.lowercased(), among: ValueKind<HostPolicy>.hostWords),
                // 'stream' may well be somebody's.
                abs(name.utf8.count - meant.utf8.count) <= 1,
                let origin = origins[place.appending("http").appending("host")]
            else { return nil }
            return warning("\(quoted(name)) is taken as a host name; did you mean '\(meant)'?", at: origin)
        }
    }

    /// The target is a part of the head.
    var uselessTargetLengths: [Diagnostic] {
        settingsInUse.compactMap { place, settings in
            let http = place.appending("http")
            guard settings.http.maxTargetLength >= settings.http.maxHeadSize,
                let target = origins[http.appending("max_target_length")],
                case let head = origins[http.appending("max_head_size")], target.rank >= head?.rank ?? 0
            else { return nil }
            return warning(
                "max_target_length has no effect: max_head_size is no more than that, and the target is in the head",
                at: target, note: head.map { Diagnostic.Note("max_head_size is set", at: $0.location) })
        }
    }
}

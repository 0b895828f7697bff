extension MetricsWriter {
    /// The metrics of routes. The samples of a family must stand together, so each family goes through all routes.
    mutating func write(_ routes: [Snapshot.Route]) {
        writeConnections(routes)
        writeUpstreamConnections(routes)
        writePools(routes)
        writeApps(routes)
        writeTimes(routes)
        writeRequests(routes.filter(\.isHTTP))
    }

    private mutating func writeConnections(_ routes: [Snapshot.Route]) {
        begin("loopbridge_connections_total", .counter, "Clients that were accepted.")
        for route in routes { sample(route.counters.connections, ["route": route.name]) }
        begin("loopbridge_connections", .gauge, "Clients that are connected.")
        for route in routes { sample(route.connections, ["route": route.name]) }
        begin("loopbridge_connections_limit", .gauge, "How many clients may be connected.")
        for route in routes { sample(route.connectionLimit, ["route": route.name]) }
        begin("loopbridge_connections_ended_total", .counter, "Clients' connections that have ended.")
        for route in routes { sample(route.counters.endedConnections, ["route": route.name]) }
        begin("loopbridge_bytes_total", .counter, "Bytes that were sent on.", unit: "bytes")
        for route in routes {
            sample(route.counters.bytesToApp, ["route": route.name, "direction": "to_app"])
            sample(route.counters.bytesToClient, ["route": route.name, "direction": "to_client"])
        }
        begin("loopbridge_datagrams_total", .counter, "Datagrams that were sent on.")
        for route in routes where route.isUDP {
            sample(route.counters.datagrams.toApp, ["route": route.name, "direction": "to_app"])
            sample(route.counters.datagrams.toClient, ["route": route.name, "direction": "to_client"])
        }
        begin(
            "loopbridge_failures_total", .counter,
            "Connections, or with HTTP requests, that did not end well, and datagrams that were dropped.")
        for route in routes {
            for cause in FailureCause.allCases {
                let count = route.counters.failures[cause]
                guard count > 0 || cause.occurs(on: route) else { continue }
                sample(count, ["route": route.name, "cause": cause.rawValue])
            }
        }
    }

    private mutating func writeUpstreamConnections(_ routes: [Snapshot.Route]) {
        begin("loopbridge_clients_held", .gauge, "Clients that wait for an app that is not listening.")
        for route in routes { sample(route.held, ["route": route.name]) }
        begin("loopbridge_clients_queued", .gauge, "Clients that wait for a place among the app's connections.")
        for route in routes { sample(route.queued, ["route": route.name]) }
        begin("loopbridge_clients_queued_limit", .gauge, "How many clients may wait for such a place.")
        for route in routes { route.queueLimit.map { sample($0, ["route": route.name]) } }
        begin(
            "loopbridge_upstream_connections", .gauge, "Connections to the app: in use, kept for reuse, opened ahead.")
        for route in routes {
            sample(route.upstreamConnections, ["route": route.name, "state": "used"])
            sample(route.idle, ["route": route.name, "state": "idle"])
            sample(route.spare, ["route": route.name, "state": "spare"])
        }
        begin("loopbridge_upstream_connections_limit", .gauge, "How many connections the app may have.")
        for route in routes { route.upstreamConnectionLimit.map { sample($0, ["route": route.name]) } }
    }

    private mutating func writePools(_ routes: [Snapshot.Route]) {
        begin(
            "loopbridge_pool_hits_total", .counter, "Clients or requests that got a connection that was open already.")
        for route in routes { sample(route.counters.pool.hits, ["route": route.name]) }
        begin("loopbridge_pool_misses_total", .counter, "Clients or requests for whom there was none.")
        for route in routes { sample(route.counters.pool.misses, ["route": route.name]) }
        begin(
            "loopbridge_pool_evictions_total", .counter,
            "Unused connections that were closed because of a limit, or because somebody needed their place.")
        for route in routes { sample(route.counters.pool.evictions, ["route": route.name]) }
        begin(
            "loopbridge_pool_stale_total", .counter,
            "Unused connections that the app had ended, spoken on out of turn, or left behind.")
        for route in routes { sample(route.counters.pool.stale, ["route": route.name]) }
    }

    private mutating func writeApps(_ routes: [Snapshot.Route]) {
        begin("loopbridge_app_up", .gauge, "Whether the app listens.")
        for route in routes where route.app.presence != .unknown {
            sample(route.app.presence == .up, ["route": route.name])
        }
        begin(
            "loopbridge_app_changed_timestamp_seconds", .gauge, "When the app last began or ceased to listen.",
            unit: "seconds")
        for route in routes { route.app.since.map { sample($0.secondsSince1970, ["route": route.name]) } }
    }

    private mutating func writeTimes(_ routes: [Snapshot.Route]) {
        begin(
            "loopbridge_connect_duration_seconds", .histogram, "From calling the app to its taking the connection.",
            unit: "seconds")
        for route in routes { sample(route.counters.connectTime, ["route": route.name]) }
        begin(
            "loopbridge_wait_duration_seconds", .histogram,
            "From asking for the app to calling it: held while it is not listening, queued while it has no place.",
            unit: "seconds")
        for route in routes { sample(route.counters.waitTime, ["route": route.name]) }
        begin(
            "loopbridge_connection_duration_seconds", .histogram, "From a client's being accepted to its end.",
            unit: "seconds")
        for route in routes { sample(route.counters.connectionTime, ["route": route.name]) }
    }

    private mutating func writeRequests(_ routes: [Snapshot.Route]) {
        begin("loopbridge_requests_total", .counter, "HTTP requests by the class of their answer.")
        for route in routes {
            let counts = route.counters.requests.byClass
            for number in counts.indices.dropFirst() {
                sample(counts[number], ["route": route.name, "code": "\(number)xx"])
            }
            sample(counts[0], ["route": route.name, "code": "none"])
        }
        begin(
            "loopbridge_request_duration_seconds", .histogram,
            "From a request's first byte to the last one of its answer.", unit: "seconds")
        for route in routes { sample(route.counters.requests.time, ["route": route.name]) }
        begin(
            "loopbridge_first_byte_duration_seconds", .histogram,
            "From having a connection to the app to the first byte of its answer.", unit: "seconds")
        for route in routes { sample(route.counters.requests.firstByteTime, ["route": route.name]) }
        begin("loopbridge_request_size_bytes", .histogram, "Bodies of requests.", unit: "bytes")
        for route in routes { sample(route.counters.requests.requestSize, ["route": route.name]) }
        begin("loopbridge_response_size_bytes", .histogram, "Bodies of answers.", unit: "bytes")
        for route in routes { sample(route.counters.requests.responseSize, ["route": route.name]) }
    }
}

extension Snapshot.Route {
    /// Whether it has requests, and not connections only.
    var isHTTP: Bool { `protocol` == "http" }

    /// Whether it carries datagrams, and its clients have flows and not connections.
    var isUDP: Bool { `protocol` == "udp" }
}

extension FailureCause {
    /// Whether it can end something on such a route, so that it is worth a sample before it has.
    func occurs(on route: Snapshot.Route) -> Bool {
        if route.isUDP { return occursWithDatagrams }
        return route.isHTTP ? !isOfDatagramsOnly : occursWithoutHTTP
    }

    /// Whether nothing but a datagram can meet with it.
    private var isOfDatagramsOnly: Bool {
        switch self {
        case .flowLimit, .draining, .datagramCutOff, .receiveBufferFull, .unsentToApp, .unsentToClient: true
        default: false
        }
    }

    private var occursWithDatagrams: Bool {
        switch self {
        case .clientDenied, .clientConnectionLimit, .clientRateLimit, .memoryShort, .appFailed, .appNotListening,
            .connectFailed, .routeRemoved, .drained:
            true
        default: isOfDatagramsOnly
        }
    }

    /// Whether it can end a connection that is carried as bytes only.
    private var occursWithoutHTTP: Bool {
        switch self {
        case .clientDenied, .clientConnectionLimit, .clientRateLimit, .memoryShort, .clientFailed, .clientLeft,
            .appFailed,
            .appNotListening, .appBusy, .connectFailed, .queueFull, .queueTimeout, .idleTimeout, .halfCloseTimeout,
            .invalidProxyHeader, .proxyHeaderTimeout, .tlsHandshakeFailed, .tlsHandshakeTimeout,
            .clientCertificateRefused, .routeRemoved, .drained:
            true
        case .invalidRequest, .unauthorized, .wrongPassword, .passwordsBusy, .headTimeout, .bodyTimeout, .answerTimeout,
            .noAnswer, .invalidAnswer, .answerCutOff, .flowLimit, .draining, .datagramCutOff, .receiveBufferFull,
            .unsentToApp, .unsentToClient:
            false
        }
    }
}

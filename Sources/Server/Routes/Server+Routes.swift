public import Configuration
internal import Discovery
internal import Network
internal import Observability
internal import Proxy

extension Server {
    /// Adds a route while the server runs; a draining server accepts no clients on it. A listener that cannot be had is
    /// reported in the log, and tried again.
    /// - Parameter processes: the names of the processes that listen at its upstream, where they are known.
    /// - Returns: the number by which the route can be removed.
    public func add(_ route: Route, upstreamOf processes: [String] = []) -> Int {
        let number = register(route)
        followFiles()
        guard isRunning else { return number }
        listeners.update()
        announce([number], upstreamOf: processes)
        return number
    }

    /// Replaces a route by another one. Where both listen on the same address, the listening socket stays; running
    /// connections go on as they began.
    /// - Returns: the number by which the new route can be removed.
    public func replace(route number: Int, with route: Route) -> Int {
        let successor = register(route, inPlaceOf: number)
        retire(number)
        followFiles()
        guard isRunning else { return successor }
        listeners.update()
        workers.tell(.removeRoute(number))
        announce([successor])
        return successor
    }

    /// Closes a route's listeners; its connections go on.
    public func remove(route number: Int) {
        guard let route = retire(number) else { return }
        followFiles()
        listeners.closeAll(ofRoute: number)
        workers.tell(.removeRoute(number))
        limitConnections()
        log.info("no longer forwarding to \(route.upstream)", ["route": .text(route.name)])
    }

    /// Makes a route known to the workers.
    /// - Parameter predecessor: the route that it replaces, whose connections count against its limits.
    func register(_ route: Route, inPlaceOf predecessor: Int? = nil) -> Int {
        let number = listeners.add(route)
        let shared = workers.share(
            route, number: number, tls: route.tls.isEnabled ? RouteTLS(route) : nil,
            inPlaceOf: predecessor.flatMap { routes[$0] })
        routes.insert(shared, as: number)
        workers.tell(.addRoute(number, shared, workers: workers.count))
        return number
    }

    /// Takes a route out of the table; its listeners are closed or handed over by the next update.
    @discardableResult
    func retire(_ number: Int) -> Route? {
        listeners.remove(route: number)
        return routes.remove(number)?.configuration
    }

    /// Says in the log where routes lead and where they listen. The system is asked once for all of them who listens.
    /// - Parameter processes: those that listen at their upstream, where that is known.
    func announce(_ numbers: [Int], upstreamOf processes: [String] = []) {
        var endpoints: [RouteProtocol.Transport: [ListeningEndpoint]] = [:]
        for number in numbers {
            guard let route = routes[number]?.configuration else { continue }
            let transport = route.protocol.transport
            let listening = endpoints[transport] ?? transport.listeningEndpoints ?? []
            endpoints[transport] = listening
            announce(route, number, AppPresence(of: route.upstream, among: listening), upstreamOf: processes)
        }
    }

    private func announce(_ route: Route, _ number: Int, _ presence: AppPresence, upstreamOf processes: [String]) {
        let addresses = listeners.boundAddresses(ofRoute: number).map(\.description)
        let listening =
            addresses.isEmpty
            ? "no address to listen on yet"
            : "listening on \(addresses.joined(separator: ", "))\(route.tls.isEnabled ? " for TLS" : "")"
        let presence = presence.description(hold: route.protocol.transport.waitsForApp ? route.hold : .zero)
        log.info("\(listening); forwarding to \(route.upstream), \(presence)", ["route": .text(route.name)])
        if let risk = route.risk(upstreamOf: processes) { log.warning(risk, ["route": .text(route.name)]) }
    }
}

internal import Access
internal import Configuration
internal import EventLoop
internal import Network
internal import Observability
internal import Upstream

/// The sentences of a worker for the log.
extension WorkerContext {
    // MARK: The app

    /// Logs news of a route's way to the app.
    func tell(of news: AppConnections.News, on route: WorkerRoute) {
        let bound = route.configuration.upstreamConnections
        let fields: Log.Fields = [
            "route": .text(route.configuration.name), "upstream_connections": .number(bound.max ?? 0),
            "queue": .number(bound.queue),
        ]
        switch news {
        case .obstacle(let obstacle): tell(of: obstacle, on: route)
        case .clientsWait:
            environment.upstreamLog.info("the app has all the connections that it may have; clients queue", fields)
        case .queueFull:
            environment.upstreamLog.warning("the queue for the app is full: further clients are reset", fields)
        }
    }

    private func tell(of obstacle: Connector.Obstacle?, on route: WorkerRoute) {
        let upstream = route.configuration.upstream
        let hold = route.configuration.hold
        let fields: Log.Fields = ["route": .text(route.configuration.name)]
        switch obstacle {
        case .notListening:
            environment.upstreamLog.warning(
                "the app at \(upstream) is not listening; clients wait up to \(durationText(hold))", fields)
        case .busy:
            environment.upstreamLog.warning("the app at \(upstream) takes no more connections; clients wait", fields)
        case nil:
            environment.upstreamLog.info("the app at \(upstream) answers", fields)
        }
    }

    /// Logs trouble with the addresses that connections to the app come from.
    func tell(of trouble: SourceTrouble, on route: WorkerRoute) {
        environment.upstreamLog.warning("\(trouble)", ["route": .text(route.configuration.name)])
    }

    /// Logs that the system gives no socket for a flow, though there was a permit.
    func cannotOpenFlow(_ error: SystemError, on route: WorkerRoute) {
        complain(
            of: route, "cannot open a socket to the app at \(route.configuration.upstream): datagrams are dropped",
            reason: error.description)
    }

    /// Logs that nobody listens where a route's datagrams lead.
    func appIsAway(_ route: WorkerRoute) {
        complain(of: route, "the app at \(route.configuration.upstream) is not listening: datagrams are dropped")
    }

    /// Logs a complaint at most once a minute, for every datagram could give a reason.
    private func complain(of route: WorkerRoute, _ message: String, reason: String? = nil) {
        guard let datagrams = route.datagrams else { return }
        let now = MonotonicTime.coarse
        if let last = datagrams.complaints[message], now.since(last) < .seconds(60) { return }
        datagrams.complaints[message] = now
        environment.upstreamLog.warning(
            message,
            ["route": .text(route.configuration.name), "reason": reason.map { .text($0) } ?? .nothing])
    }

    // MARK: Clients

    /// Logs that a bound keeps clients from being accepted.
    func warnOfWaitingClients(_ bound: ConnectionPermit.Refusal.Bound, on route: WorkerRoute) {
        warn(
            of: bound, on: route, reached: "max_connections reached: further clients wait to be accepted",
            noDescriptors: "the limit of open files is reached: further clients wait to be accepted")
    }

    /// Logs that a bound keeps clients from getting a flow.
    func warnOfDroppedDatagrams(_ bound: ConnectionPermit.Refusal.Bound, on route: WorkerRoute) {
        warn(
            of: bound, on: route,
            reached:
                "max_connections reached: new clients take the place of silent ones, or their datagrams are dropped",
            noDescriptors: "the limit of open files is reached: datagrams of new clients are dropped")
    }

    private func warn(
        of bound: ConnectionPermit.Refusal.Bound, on route: WorkerRoute, reached: String, noDescriptors: String
    ) {
        switch bound {
        case .route:
            environment.listenersLog.warning(
                reached,
                [
                    "route": .text(route.configuration.name),
                    "max_connections": .number(route.shared.connections.limit),
                ])
        case .descriptors:
            environment.listenersLog.warning(
                noDescriptors, ["connections": .number(environment.descriptors.limit)])
        }
    }

    /// Counts a client that is turned away, and logs that now and then.
    func noteRefusal(_ refusal: ClientRefusal, of client: SocketAddress, on route: WorkerRoute) {
        guard let count = route.note(refusal) else { return }
        environment.listenersLog.info(
            "a client was turned away: \(refusal.explanation)",
            [
                "client": .text(client.description), "route": .text(route.configuration.name),
                "clients": .number(count),
            ])
    }

    /// Logs news of a flood of denied clients.
    func tellOfFlood(_ news: FloodNews, on route: WorkerRoute) {
        let name = Log.Value.text(route.configuration.name)
        switch news {
        case .begins(let perSecond):
            environment.listenersLog.warning(
                "a flood of clients whose address is not allowed: the system drops what they send, and they get no answer",
                ["route": name, "clients_per_second": .number(perSecond)])
        case .ends(let dropped):
            environment.listenersLog.info(
                "the flood of clients whose address is not allowed is over: they are reset again",
                ["route": name, "dropped": .number(dropped)])
        case .cannotBeDropped(let reason):
            environment.listenersLog.info(
                "a flood of clients whose address is not allowed: each is reset, for the system cannot drop what they send",
                ["route": name, "reason": .text(reason)])
        }
    }

    /// Logs that a trusted proxy has sent no valid PROXY header.
    ///
    /// A misconfigured proxy makes its mistake with every connection, so what differs is in the fields: the log sums up repeats.
    func reportInvalidProxyHeader(_ explanation: String, from proxy: SocketAddress, on route: WorkerRoute) {
        environment.listenersLog.warning(
            "no valid PROXY header from a trusted proxy",
            [
                "route": .text(route.configuration.name), "proxy": .text(proxy.description),
                "reason": .text(explanation),
            ])
    }

    // MARK: Access log

    /// Logs a connection that has ended, if the access log is on.
    func log(_ summary: @autoclosure () -> SessionSummary) {
        if logsAccess { summary().write(to: environment.log) }
    }

    /// Logs a request that has ended, if the access log is on.
    func log(_ summary: RequestSummary) {
        if logsAccess { environment.log.info(summary, scratch: &logScratch) }
    }

    /// Logs a flow that has ended, if the access log is on.
    func log(_ summary: @autoclosure () -> FlowSummary) {
        if logsAccess { summary().write(to: environment.log) }
    }
}

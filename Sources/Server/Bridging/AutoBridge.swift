public import Configuration
public import Discovery
public import EventLoop
internal import Network
public import Observability

/// Bridges apps that listen on loopback only, each at its own port, as they come and go.
///
/// Belongs to the control loop.
public final class AutoBridge {
    private struct Bridge {
        let upstream: UpstreamAddress
        let route: Int

        /// Whether the bridge leads to an app that listens at these addresses.
        func leads(to addresses: Set<IPAddress>) -> Bool {
            upstream.candidates.contains { $0.ipAddress.map(addresses.contains) ?? false }
        }

        /// Whether a client may be connected to either of two addresses.
        var leadsToSeveral: Bool { upstream.candidates.count > 1 }
    }

    private let server: Server
    private let review: ListenerReview
    private let inquiry: InspectorInquiry
    private let chosen: BridgePlan.Ports
    private var ports: BridgePlan.Ports
    private var settings: RouteSettings
    private let log: Log
    private var timer: Timer?
    private var started = MonotonicTime.coarse
    private var bridges: [UInt16: Bridge] = [:]
    private var obstacles: [UInt16: BridgePlan.Obstacle] = [:]
    private var hasSaidNothingFound = false
    private var isStopped = false

    /// The time after the start during which apps are looked for often, because they start then.
    private static let startPhase = Duration.seconds(10)
    private static let intervalAtStart = Duration.milliseconds(100)
    private static let interval = Duration.milliseconds(900)

    /// - Parameters:
    ///   - scope: the processes whose listeners are bridged.
    ///   - said: the ports that the app's command line and environment name.
    ///   - configuration: its defaults are the bridges' settings, and the ports of its routes are not bridged.
    public init(
        _ server: Server, scope: ListenerReview.Scope, said: Set<UInt16>, ports: BridgePlan.Ports,
        configuration: Configuration, log: Log,
        on loop: EventLoop
    ) throws(SystemError) {
        self.server = server
        review = ListenerReview(scope, kernelChoice: KernelChoice(said: said))
        inquiry = InspectorInquiry(on: loop)
        chosen = ports
        self.ports = Self.ports(ports, besides: configuration)
        settings = configuration.defaults
        self.log = log.part(.discovery)
        server.record.findsRoutes = true
        // The timer ends with this, and so do its calls.
        timer = try Timer(on: loop) { [unowned self] in look() }
    }

    private static func ports(_ chosen: BridgePlan.Ports, besides configuration: Configuration) -> BridgePlan.Ports {
        var ports = chosen
        ports.except.formUnion(configuration.routes.flatMap(\.listen).compactMap(outsidePort))
        ports.except.formUnion(configuration.admin.listen.compactMap { outsidePort(.address($0)) })
        return ports
    }

    private static func outsidePort(_ listen: ListenAddress) -> UInt16? {
        switch listen {
        case .everyNonLoopback(let port, _): port
        case .unix, .inherited: nil
        case .address(let address): address.ipAddress?.isLoopback == false ? address.port : nil
        }
    }

    /// Begins to look for apps.
    public func start() {
        started = .coarse
        look()
    }

    /// Stops looking; bridges that there are stay.
    public func stop() {
        isStopped = true
        timer?.cancel()
    }

    /// Follows another configuration from now on: its defaults hold for the bridges that there are too, and bridges whose ports its
    /// routes listen on are removed.
    public func follow(_ configuration: Configuration) {
        ports = Self.ports(chosen, besides: configuration)
        let hasChanged = settings != configuration.defaults
        settings = configuration.defaults
        for (port, bridge) in bridges.sorted(by: { $0.key < $1.key }) {
            if ports.except.contains(port) {
                server.remove(route: bridge.route)
                bridges[port] = nil
            } else if hasChanged {
                let number = server.replace(route: bridge.route, with: route(port, to: bridge.upstream))
                bridges[port] = Bridge(upstream: bridge.upstream, route: number)
            }
        }
    }

    private func look() {
        // The bridges stay while the system does not say who listens.
        guard let endpoints = try? ListeningSockets.current() else {
            timer?.schedule(after: Self.interval)
            return
        }
        for endpoint in review.look(at: endpoints) {
            // The user has named the port, so it is bridged whatever it is.
            if ports.only.contains(endpoint.port) {
                review.take(answerOf: endpoint, isInspector: false)
                continue
            }
            inquiry.ask(.ip(endpoint.address, port: endpoint.port)) { [weak self] isInspector in
                guard let self else { return }
                review.take(answerOf: endpoint, isInspector: isInspector)
                if !isStopped { look() }
            }
        }
        let plan = BridgePlan(
            for: endpoints, ours: server.listeningInodes, ports: ports, verdict: review.verdict(on:))
        let hasFreedPorts = follow(plan, endpoints)
        let age = MonotonicTime.coarse.since(started)
        if age > Self.startPhase, bridges.isEmpty, !hasSaidNothingFound {
            hasSaidNothingFound = true
            log.info("found nothing that listens only on loopback; still looking")
        }
        timer?.schedule(
            after: age < Self.startPhase || hasFreedPorts || review.hasUndecided ? Self.intervalAtStart : Self.interval)
    }

    /// Adds and removes bridges as the plan says.
    /// - Returns: whether bridges were removed. Their ports may be bridged anew at the next look: the workers are still
    ///   closing the old sockets.
    private func follow(_ plan: BridgePlan, _ endpoints: [ListeningEndpoint]) -> Bool {
        for (port, obstacle) in plan.obstacles.sorted(by: { $0.key < $1.key }) where obstacles[port] != obstacle {
            let remedy = obstacle.remedy(at: port).map { "; \($0)" } ?? ""
            let message = "not bridging port \(port): \(obstacle.explanation)\(remedy)"
            let fields: Log.Fields = ["port": .number(Int(port))]
            // Sockets on ports of the kernel's choice come and go, and are nobody's mistake.
            obstacle == .chosenByKernel ? log.info(message, fields) : log.warning(message, fields)
        }
        obstacles = plan.obstacles
        // A bridge stays while the app listens at its other end, wherever else it has begun to listen.
        let gone = bridges.filter { port, bridge in
            !bridge.leads(to: plan.bridges[port] ?? []) || plan.obstacles[port] != nil && bridge.leadsToSeveral
        }
        for (port, bridge) in gone.sorted(by: { $0.key < $1.key }) {
            server.remove(route: bridge.route)
            bridges[port] = nil
        }
        for (port, addresses) in plan.bridges.sorted(by: { $0.key < $1.key })
        where bridges[port] == nil && gone[port] == nil {
            let upstream = Self.upstream(addresses, port: port)
            let inodes = Set(endpoints.filter { $0.port == port && addresses.contains($0.address) }.map(\.inode))
            let processes = ProcessDescription.owning(socketsWith: inodes).map(\.name)
            let number = server.add(route(port, to: upstream), upstreamOf: processes)
            bridges[port] = Bridge(upstream: upstream, route: number)
        }
        return !gone.isEmpty
    }

    private func route(_ port: UInt16, to upstream: UpstreamAddress) -> Route {
        Route(
            name: "auto:\(port)", listen: [.everyNonLoopback(port: port, families: [.v4, .v6])], upstream: upstream,
            settings: settings)
    }

    /// Returns `localhost` where the app listens on both of its addresses, and one address elsewhere.
    private static func upstream(_ addresses: Set<IPAddress>, port: UInt16) -> UpstreamAddress {
        if addresses.isSuperset(of: [.loopbackV4, .loopbackV6]) { return .localhost(port: port) }
        let preferred =
            [IPAddress.loopbackV4, .loopbackV6].first(where: addresses.contains)
            ?? addresses.min { $0.description < $1.description }
        return .address(.ip(preferred ?? .loopbackV4, port: port))
    }
}

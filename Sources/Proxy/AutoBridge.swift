public import Configuration
public import Discovery
public import EventLoop
internal import Glibc
internal import Network
public import Observability

/// Bridges what listens on loopback only, each at its own port, as it comes and goes.
///
/// Belongs to the control loop.
public final class AutoBridge {
    /// Whose listeners are bridged.
    public enum Scope: Sendable {
        /// Everybody's in this network namespace.
        case everybody
        /// Those of this process's descendants.
        case ownDescendants
    }

    private struct Bridge {
        let upstream: UpstreamAddress
        let route: Int

        /// Whether an app that listens at these addresses can be reached over it.
        func leads(to addresses: Set<IPAddress>) -> Bool {
            upstream.candidates.contains { $0.ipAddress.map(addresses.contains) ?? false }
        }
    }

    private let server: Server
    private let scope: Scope
    private let chosen: BridgePlan.Ports
    private var ports: BridgePlan.Ports
    private var settings: RouteSettings
    private let log: Log
    private var timer: Timer?
    private var started = MonotonicTime.coarse
    private var bridges: [UInt16: Bridge] = [:]
    private var obstacles: [UInt16: BridgePlan.Obstacle] = [:]
    /// Whether a socket's app is in scope, for those whose owners have been looked up.
    private var verdicts: [UInt64: Bool] = [:]
    /// How often a socket's owners have been looked up in vain.
    private var unseen: [UInt64: Int] = [:]
    private var hasSaidNothingFound = false

    /// An app that starts is looked for often, one that runs seldom.
    private static let startPhase = Duration.seconds(10)
    private static let intervalAtStart = Duration.milliseconds(100)
    private static let interval = Duration.milliseconds(900)

    /// - Parameter configuration: its defaults are what the bridges start from, and its routes keep the ports that
    ///   they listen on.
    public init(
        _ server: Server, scope: Scope, ports: BridgePlan.Ports, configuration: Configuration, log: Log,
        on loop: EventLoop
    ) throws(SystemError) {
        self.server = server
        self.scope = scope
        chosen = ports
        self.ports = Self.ports(ports, besides: configuration)
        settings = configuration.defaults
        self.log = log.part(.discovery)
        server.findsRoutes = true
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

    /// Begins to look.
    public func start() {
        started = .coarse
        look()
    }

    /// Looks no more; what is bridged stays.
    public func stop() {
        timer?.cancel()
    }

    /// Works by another configuration from now on: its defaults hold for the bridges that there are too, and those go
    /// whose ports its routes listen on.
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
        // Where the system does not say who listens, what is bridged stays.
        guard let endpoints = try? ListeningSockets.current() else {
            timer?.schedule(after: Self.interval)
            return
        }
        lookUpOwners(of: endpoints)
        let plan = BridgePlan(for: endpoints, ours: server.listeningInodes, ports: ports) { endpoint in
            verdicts[endpoint.inode] ?? false
        }
        let hasFreedPorts = follow(plan, endpoints)
        let age = MonotonicTime.coarse.since(started)
        if age > Self.startPhase, bridges.isEmpty, !hasSaidNothingFound {
            hasSaidNothingFound = true
            log.info("found nothing that listens only on loopback; still looking")
        }
        timer?.schedule(
            after: age < Self.startPhase || hasFreedPorts ? Self.intervalAtStart : Self.interval)
    }

    /// - Returns: whether bridges have gone. Their ports may be bridged anew at the next look: the workers are still
    ///   closing the old sockets.
    private func follow(_ plan: BridgePlan, _ endpoints: [ListeningEndpoint]) -> Bool {
        for (port, obstacle) in plan.obstacles.sorted(by: { $0.key < $1.key }) where obstacles[port] != obstacle {
            log.warning("not bridging port \(port): \(obstacle.explanation)", ["port": .number(Int(port))])
        }
        obstacles = plan.obstacles
        // A bridge stays while the app listens at its other end, wherever else it has begun to listen.
        let gone = bridges.filter { port, bridge in !bridge.leads(to: plan.bridges[port] ?? []) }
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

    /// `localhost` where the app listens on both of its addresses.
    private static func upstream(_ addresses: Set<IPAddress>, port: UInt16) -> UpstreamAddress {
        if addresses.isSuperset(of: [.loopbackV4, .loopbackV6]) { return .localhost(port: port) }
        let preferred =
            [IPAddress.loopbackV4, .loopbackV6].first(where: addresses.contains)
            ?? addresses.min { $0.description < $1.description }
        return .address(.ip(preferred ?? .loopbackV4, port: port))
    }

    /// Looks only at sockets that are new: finding an owner means looking through every process's descriptors.
    private func lookUpOwners(of endpoints: [ListeningEndpoint]) {
        let candidates = Set(
            endpoints.filter { $0.isLoopbackOnly && !BridgePlan.resolvers.contains($0.address) }.map(\.inode))
        verdicts = verdicts.filter { candidates.contains($0.key) }
        unseen = unseen.filter { candidates.contains($0.key) }
        let new = candidates.subtracting(verdicts.keys)
        guard !new.isEmpty else { return }
        switch scope {
        case .everybody:
            for inode in new { verdicts[inode] = true }
        case .ownDescendants:
            let family = ProcessTree.descendants(of: Int(getpid()))
            let owners = ProcessDescription.owners(ofSockets: new)
            for endpoint in endpoints where new.contains(endpoint.inode) {
                verdicts[endpoint.inode] =
                    owners[endpoint.inode].map { $0.contains { family.contains($0.id) } } ?? guess(endpoint)
            }
        }
    }

    /// Decides about a socket whose owner this user may not see, as happens without CAP_SYS_PTRACE when the app has
    /// changed its user. In a container of our own, whoever it is comes from us.
    /// - Returns: nil to look again first, since the owner may just be about to hand the socket over.
    private func guess(_ endpoint: ListeningEndpoint) -> Bool? {
        unseen[endpoint.inode, default: 0] += 1
        guard unseen[endpoint.inode] == 3 else { return nil }
        if getpid() == 1 { return true }
        log.warning(
            "not bridging port \(endpoint.port): this user may not see whose it is; name it as a ROUTE to bridge it",
            ["port": .number(Int(endpoint.port))])
        return false
    }
}

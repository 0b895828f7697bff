internal import EventLoop
public import Network

/// The listening sockets of this network namespace: who can reach each, and what to do where the outside can't.
public struct Diagnosis: Sendable {
    /// The transport of a socket.
    public enum Transport: String, Sendable {
        case tcp
        case udp
    }

    /// One listening socket.
    public struct Finding: Sendable {
        public let transport: Transport
        public let endpoint: ListeningEndpoint
        /// The processes that have it open; empty where this user may not see them.
        public let owners: [ProcessDescription]
        public let reach: Reach
        /// The reason why `run` and `auto` would leave it out; nil where they would not.
        public let obstacle: BridgePlan.Obstacle?

        /// The address as in `127.0.0.1:8000` and `127.0.0.1:53/udp`.
        public var listensOn: String {
            SocketAddress.ip(endpoint.address, port: endpoint.port).description + (transport == .udp ? "/udp" : "")
        }
    }

    /// The reach of a socket.
    public enum Reach: Equatable, Sendable {
        /// Everybody can reach it who can reach one of this machine's addresses.
        case outside
        /// Only this machine or container can reach it; another socket serves the outside on the same port.
        case loopbackServedByOthers([ProcessDescription])
        /// Only this machine or container can reach it.
        case loopback
        /// Only this machine or container can reach it, as it should be: it is its resolver.
        case resolver
    }

    /// The findings, sorted by port.
    public let findings: [Finding]
    /// The addresses at which the outside looks for this machine or container.
    public let outsideAddresses: [IPAddress]

    /// Returns the diagnosis of this namespace at this moment. Reads every process's descriptors, and asks listeners that
    /// may be inspectors.
    public static func current() -> Diagnosis {
        let endpoints = (try? ListeningSockets.current()) ?? []
        let passing = EphemeralPorts.range
        let datagrams = ((try? ListeningSockets.takingDatagrams()) ?? []).filter {
            // The kernel gives such a port to a socket that only sends.
            !($0.address.isUnspecified && passing.contains($0.port))
        }
        let interfaces = (try? InterfaceAddresses.current()) ?? []
        return Diagnosis(
            of: endpoints, datagrams: datagrams, obstacles: obstacles(to: endpoints),
            owners: ProcessDescription.owners(ofSockets: Set((endpoints + datagrams).map(\.inode))),
            addresses: interfaces.map(\.address))
    }

    /// Returns the reasons against bridging listeners, by their sockets' inodes.
    private static func obstacles(to endpoints: [ListeningEndpoint]) -> [UInt64: BridgePlan.Obstacle] {
        let review = ListenerReview(.everybody, kernelChoice: KernelChoice(said: SaidPorts.ofThisPlace()))
        for endpoint in review.look(at: endpoints) {
            let address = SocketAddress.ip(endpoint.address, port: endpoint.port)
            review.take(answerOf: endpoint, isInspector: InspectorQuestion.isInspector(at: address))
        }
        let found = endpoints.compactMap { endpoint in
            review.verdict(on: endpoint)?.obstacle.map { (endpoint.inode, $0) }
        }
        return Dictionary(found) { first, _ in first }
    }

    init(
        of endpoints: [ListeningEndpoint], datagrams: [ListeningEndpoint] = [],
        obstacles: [UInt64: BridgePlan.Obstacle] = [:], owners: [UInt64: [ProcessDescription]], addresses: [IPAddress]
    ) {
        outsideAddresses = addresses.filter { !$0.isLoopback && !$0.isLinkLocal }
        var seen = Set<String>()
        findings =
            (Self.findings(endpoints, .tcp, owners: owners, obstacles: obstacles)
            + Self.findings(datagrams, .udp, owners: owners))
            .sorted { ($0.endpoint.port, $0.listensOn) < ($1.endpoint.port, $1.listensOn) }
            // Workers of one program share an address; a person sees one listener.
            .filter { seen.insert("\($0.listensOn) \($0.owners.map(\.id))").inserted }
    }

    private static func findings(
        _ endpoints: [ListeningEndpoint], _ transport: Transport, owners: [UInt64: [ProcessDescription]],
        obstacles: [UInt64: BridgePlan.Obstacle] = [:]
    ) -> [Finding] {
        var outside: [UInt16: [ProcessDescription]] = [:]
        for endpoint in endpoints where !endpoint.isLoopbackOnly {
            outside[endpoint.port, default: []] += owners[endpoint.inode] ?? []
        }
        return endpoints.map { endpoint in
            let reach: Reach =
                if !endpoint.isLoopbackOnly {
                    .outside
                } else if BridgePlan.resolvers.contains(endpoint.address) {
                    .resolver
                } else if let others = outside[endpoint.port] {
                    .loopbackServedByOthers(Array(Set(others)).sorted { $0.id < $1.id })
                } else {
                    .loopback
                }
            return Finding(
                transport: transport, endpoint: endpoint, owners: owners[endpoint.inode] ?? [], reach: reach,
                obstacle: obstacles[endpoint.inode])
        }
    }

    /// The number of sockets whose owners are hidden from this user.
    public var hiddenOwners: Int { findings.count { $0.owners.isEmpty } }
}

extension Diagnosis.Finding {
    /// Whether the outside reaches a server on this port, directly or by a bridge.
    public var isReachable: Bool {
        switch reach {
        case .outside: true
        case .loopbackServedByOthers(let others): others.contains { $0.name == "loopbridge" }
        case .loopback, .resolver: false
        }
    }

    /// One word or two for a table.
    public var verdict: String {
        switch reach {
        case .outside: "yes"
        case .loopbackServedByOthers where isReachable: "yes, bridged"
        case .loopbackServedByOthers, .loopback: "no"
        case .resolver: "no, rightly"
        }
    }

    private var owner: String {
        owners.isEmpty ? "A process that this user may not see" : owners.map(\.description).joined(separator: " and ")
    }

    /// Explains in one sentence why the outside reaches it or does not.
    /// - Parameter outside: the addresses at which the outside looks for this machine or container.
    public func explanation(outside: [IPAddress]) -> String {
        let port = endpoint.port
        switch reach {
        case .outside:
            return "\(owner) listens on \(endpoint.address.isUnspecified ? "every address" : "\(endpoint.address)")."
        case .loopbackServedByOthers(let others):
            let names = others.isEmpty ? "another process" : others.map(\.description).joined(separator: " and ")
            return isReachable
                ? "\(owner) listens on loopback only, and \(names) carries what the outside sends to it."
                : "\(owner) listens on \(endpoint.address) only; on port \(port), the outside gets \(names) instead."
        case .loopback:
            let addresses = outside.map { SocketAddress.ip($0, port: port).description }.joined(separator: " or ")
            let arrival =
                addresses.isEmpty
                ? "and this machine or container has no other address yet"
                : "but \(transport == .tcp ? "connections" : "datagrams") from outside, Docker's published ports among "
                    + "them, arrive at \(addresses), where nobody listens: \(symptom)"
            return "\(owner) listens on \(endpoint.address) only, which is this machine's or container's own loopback, "
                + "\(arrival)."
        case .resolver:
            return "This is the container's or machine's own name service, which is nobody else's business."
        }
    }

    private var symptom: String {
        switch transport {
        case .tcp: "a browser says ERR_EMPTY_RESPONSE or \"connection refused\""
        case .udp: "clients wait for an answer in vain"
        }
    }

    /// The command that makes it reachable; nil where none is called for.
    public var command: String? {
        let port = endpoint.port
        return switch reach {
        case .outside, .resolver: nil
        case .loopback:
            Self.standsForLocalhost(endpoint.address)
                ? "loopbridge \(port)" + (transport == .udp ? "/udp" : "") : exact(listen: port)
        case .loopbackServedByOthers:
            isReachable ? nil : exact(listen: port < 55_536 ? port + 10_000 : port - 10_000)
        }
    }

    /// A warning for before the command is run, or for now where the outside reaches it already.
    public var caution: String? {
        guard command != nil || isReachable, transport == .tcp else { return nil }
        if let obstacle, !isReachable, let remedy = obstacle.remedy(at: endpoint.port) {
            return "run and auto leave it out: \(obstacle.explanation); \(remedy)."
        }
        if case .privateService(let service, _)? = obstacle {
            return "\(service.name) is behind this port, and \(service.risk)."
        }
        guard let service = RiskyService(port: endpoint.port, processes: owners.map(\.name)) else { return nil }
        return "\(service.caution)."
    }

    private static func standsForLocalhost(_ address: IPAddress) -> Bool {
        address == .loopbackV4 || address == .loopbackV6
    }

    private func exact(listen port: UInt16) -> String {
        "loopbridge \(port):\(listensOn)"
    }
}

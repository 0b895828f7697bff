internal import EventLoop
public import Network

/// Who listens in this network namespace, who can reach it, and what to do where the outside can't.
public struct Diagnosis: Sendable {
    /// What arrives at a socket.
    public enum Transport: String, Sendable {
        case tcp
        case udp
    }

    /// One listening socket.
    public struct Finding: Sendable {
        public let transport: Transport
        public let endpoint: ListeningEndpoint
        /// Who has it open; empty where this user may not see that.
        public let owners: [ProcessDescription]
        public let reach: Reach
        /// Why `run` and `auto` would leave it out, if they would.
        public let obstacle: BridgePlan.Obstacle?

        /// `127.0.0.1:8000`, `127.0.0.1:53/udp`
        public var listensOn: String {
            SocketAddress.ip(endpoint.address, port: endpoint.port).description + (transport == .udp ? "/udp" : "")
        }
    }

    /// Who can reach a socket.
    public enum Reach: Equatable, Sendable {
        /// Everybody who can reach one of this machine's addresses.
        case outside
        /// Only this machine or container; somebody else answers the outside on the same port.
        case loopbackServedByOthers([ProcessDescription])
        /// Only this machine or container.
        case loopback
        /// Only this machine or container, as it should be: its resolver.
        case resolver
    }

    /// Sorted by port.
    public let findings: [Finding]
    /// The addresses at which the outside looks for this machine or container.
    public let outsideAddresses: [IPAddress]

    /// Looks at this namespace as it is now. Reads every process's descriptors, and asks those that may be inspectors.
    public static func current() -> Diagnosis {
        let endpoints = (try? ListeningSockets.current()) ?? []
        let passing = EphemeralPorts.range
        let datagrams = ((try? ListeningSockets.takingDatagrams()) ?? []).filter {
            // Who only asks others gets such a socket from the kernel.
            !($0.address.isUnspecified && passing.contains($0.port))
        }
        let interfaces = (try? InterfaceAddresses.current()) ?? []
        return Diagnosis(
            of: endpoints, datagrams: datagrams, obstacles: obstacles(to: endpoints),
            owners: ProcessDescription.owners(ofSockets: Set((endpoints + datagrams).map(\.inode))),
            addresses: interfaces.map(\.address))
    }

    /// What speaks against bridging these, by their sockets.
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
            // The workers of one program share an address; a person sees one listener.
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

    /// How many sockets' owners are hidden from this user.
    public var hiddenOwners: Int { findings.count { $0.owners.isEmpty } }
}

extension Diagnosis.Finding {
    /// Whether the outside gets an answer on this port, be it by way of a bridge.
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

    /// Why it is or is not reachable, in one sentence.
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
            let places = outside.map { SocketAddress.ip($0, port: port).description }.joined(separator: " or ")
            let arrival =
                places.isEmpty
                ? "and this machine or container has no other address yet"
                : "but \(transport == .tcp ? "connections" : "datagrams") from outside, Docker's published ports among "
                    + "them, arrive at \(places), where nobody listens: \(symptom)"
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

    /// The command that makes it reachable, where one is called for.
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

    /// What to think of before the command is run; or now, where the outside reaches it already.
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

public import Network

/// The ports to bridge, each at its own number, and those that are left out, with the reasons.
public struct BridgePlan: Equatable, Sendable {
    /// The ports that the user has chosen with `--only` and `--except`.
    public struct Ports: Equatable, Sendable {
        /// The only ports to bridge; empty for no such limit.
        public var only: Set<UInt16>
        /// The ports to leave out.
        public var except: Set<UInt16>

        public init(only: Set<UInt16> = [], except: Set<UInt16> = []) {
            self.only = only
            self.except = except
        }
    }

    /// The reason why a loopback-only port is not bridged.
    public enum Obstacle: Hashable, Sendable {
        /// The service gives its clients a process or its files: bridged only when its port is named.
        case privateService(PrivateService, PrivateService.Evidence)
        /// The kernel seems to have chosen the port: bridged only when it is named.
        case chosenByKernel
        /// It cannot be seen whether the socket is the app's: bridged only when its port is named.
        case hiddenOwner
        /// Another socket listens on an address that the outside can reach, at the same port.
        case servedAlready

        /// The reason as half a sentence, for a log line or a table.
        public var explanation: String {
            switch self {
            case .privateService(let service, let evidence):
                "\(service.name) is behind it, as \(evidence.description), and \(service.risk)"
            case .chosenByKernel:
                "the kernel has chosen its number, as it seems, for a socket of the app's own that nobody has published"
            case .hiddenOwner: "this user may not see whose it is"
            case .servedAlready: "something already serves this port on an address that the outside can reach"
            }
        }

        /// The way to bridge it all the same, as half a sentence; nil where there is none.
        public func remedy(at port: UInt16) -> String? {
            switch self {
            case .privateService, .chosenByKernel, .hiddenOwner:
                "to bridge it all the same, name it: --only \(port), together with the other ports to bridge, or as a ROUTE"
            case .servedAlready: nil
            }
        }
    }

    /// The loopback addresses on which the app listens, for each port to bridge.
    public var bridges: [UInt16: Set<IPAddress>] = [:]
    public var obstacles: [UInt16: Obstacle] = [:]

    /// Resolvers on loopback that are the system's own: Docker's DNS, and systemd-resolved's two.
    public static let resolvers: Set<IPAddress> = [.v4(0x7F00_000B), .v4(0x7F00_0035), .v4(0x7F00_0036)]

    /// - Parameters:
    ///   - endpoints: everything that listens in the namespace.
    ///   - ours: the inodes of loopbridge's own sockets.
    ///   - verdict: returns the verdict on a listener; nil while that is not decided.
    public init(
        for endpoints: [ListeningEndpoint], ours: Set<UInt64>, ports: Ports,
        verdict: (ListeningEndpoint) -> ListenerReview.Verdict?
    ) {
        let theirs = endpoints.filter { !ours.contains($0.inode) }
        let served = Set(theirs.filter { !$0.isLoopbackOnly }.map(\.port))
        var blocked: [UInt16: Set<IPAddress>] = [:]
        for endpoint in theirs where endpoint.isLoopbackOnly && !Self.resolvers.contains(endpoint.address) {
            let port = endpoint.port
            guard ports.only.isEmpty || ports.only.contains(port), !ports.except.contains(port),
                let verdict = verdict(endpoint), verdict.isWanted
            else { continue }
            if served.contains(port) {
                obstacles[port] = .servedAlready
            } else if let obstacle = verdict.obstacle, !ports.only.contains(port) {
                obstacles[port] = obstacle
                blocked[port, default: []].insert(endpoint.address)
            } else {
                bridges[port, default: []].insert(endpoint.address)
            }
        }
        // Several sockets may share an address (SO_REUSEPORT), and a client gets any of them.
        for (port, addresses) in blocked {
            bridges[port]?.subtract(addresses)
            if bridges[port]?.isEmpty == true { bridges[port] = nil }
        }
    }
}

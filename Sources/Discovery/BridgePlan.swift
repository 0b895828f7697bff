public import Network

/// Which listening sockets are to be bridged, each at its own port, and which are not and why.
public struct BridgePlan: Equatable, Sendable {
    /// What the person who started loopbridge has said of ports.
    public struct Ports: Equatable, Sendable {
        /// Nothing but these; empty for no such bound.
        public var only: Set<UInt16>
        /// Not these.
        public var except: Set<UInt16>

        public init(only: Set<UInt16> = [], except: Set<UInt16> = []) {
            self.only = only
            self.except = except
        }
    }

    /// Why a loopback-only port is not bridged.
    public enum Obstacle: Hashable, Sendable {
        /// Whoever reaches such a port owns the process: bridged only when it is named.
        case debugger(String)
        /// Somebody listens on an address that the outside can reach, at the same port.
        case servedAlready

        /// Half a sentence for a log line or a table.
        public var explanation: String {
            switch self {
            case .debugger(let name): "it is \(name)'s port, and whoever reaches that owns the process"
            case .servedAlready: "something already serves this port on an address that the outside can reach"
            }
        }
    }

    /// For each port to be bridged, the loopback addresses on which the app listens.
    public var bridges: [UInt16: Set<IPAddress>] = [:]
    public var obstacles: [UInt16: Obstacle] = [:]

    /// Known debuggers, by their usual ports.
    public static let debuggerPorts: [UInt16: String] = [
        2345: "Delve", 5005: "a Java debugger (JDWP)", 5678: "debugpy", 9222: "Chrome DevTools",
        9229: "the Node.js inspector",
    ]

    /// Names on loopback that are the system's own: Docker's DNS, and systemd-resolved's two.
    public static let resolvers: Set<IPAddress> = [.v4(0x7F00_000B), .v4(0x7F00_0035), .v4(0x7F00_0036)]

    /// - Parameters:
    ///   - endpoints: everything that listens in the namespace.
    ///   - ours: the inodes of loopbridge's own sockets.
    ///   - isWanted: whether an endpoint is one whose app is to be bridged.
    public init(
        for endpoints: [ListeningEndpoint], ours: Set<UInt64>, ports: Ports, isWanted: (ListeningEndpoint) -> Bool
    ) {
        let theirs = endpoints.filter { !ours.contains($0.inode) }
        let served = Set(theirs.filter { !$0.isLoopbackOnly }.map(\.port))
        for endpoint in theirs where endpoint.isLoopbackOnly && !Self.resolvers.contains(endpoint.address) {
            let port = endpoint.port
            guard ports.only.isEmpty || ports.only.contains(port), !ports.except.contains(port), isWanted(endpoint)
            else { continue }
            if served.contains(port) {
                obstacles[port] = .servedAlready
            } else if let debugger = Self.debuggerPorts[port], !ports.only.contains(port) {
                obstacles[port] = .debugger(debugger)
            } else {
                bridges[port, default: []].insert(endpoint.address)
            }
        }
    }
}

/// Where app, proxy and client stand.
public enum Topology: String, CaseIterable, Codable, Sendable {
    /// App and proxy in one network namespace, the client in another, joined by veth, as a container is to its host.
    case veth
    /// All three in one namespace, on its loopback interface.
    case loopback

    /// What it is, in a heading.
    public var title: String {
        switch self {
        case .veth: "across veth"
        case .loopback: "on loopback"
        }
    }
}

/// A topology that is set up: its namespaces and addresses.
final class Network {
    let topology: Topology
    let app: NetworkNamespace
    let client: NetworkNamespace
    /// Where the proxy listens; where the app listens too when there is no proxy.
    let listenHost: String
    private var nextPort = 0

    init(_ topology: Topology) throws {
        self.topology = topology
        switch topology {
        case .veth:
            app = try NetworkNamespace("app")
            client = try NetworkNamespace("client")
            listenHost = "192.0.2.1"
            try SystemCommand.run(
                ["ip", "-n", app.name, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns"]
                    + [client.name])
            for (namespace, address) in [(app, "192.0.2.1/24"), (client, "192.0.2.2/24")] {
                try SystemCommand.run(["ip", "-n", namespace.name, "address", "add", address, "dev", "eth0"])
                try SystemCommand.run(["ip", "-n", namespace.name, "link", "set", "eth0", "up"])
            }
        case .loopback:
            app = try NetworkNamespace("lo")
            client = app
            listenHost = "127.0.0.1"
        }
    }

    /// A port that was not used lately, so that a connection of the last measurement is in nobody's way. Below those
    /// that connections get.
    func newPort() -> Int {
        nextPort += 1
        return 2000 + nextPort % 8000
    }

    func remove() {
        client.remove()
        app.remove()
    }
}

/// An address that somebody listens on.
struct Endpoint: Equatable {
    var host: String
    var port: Int
}

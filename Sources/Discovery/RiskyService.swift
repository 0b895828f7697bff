/// A service that should not be within everybody's reach, because it trusts its clients or is guarded by little. Known by
/// its usual port, or by its process's name.
public struct RiskyService: Sendable, Equatable {
    /// The name with its article, as in `a Redis server`.
    public let name: String
    /// The things that a client can do there, as half a sentence.
    public let risk: String

    private init(_ name: String, _ risk: String) {
        self.name = name
        self.risk = risk
    }

    /// Finds a service by its usual port or its process's name.
    /// - Parameter processes: the names of the processes that listen, as /proc/PID/comm has them.
    public init?(port: UInt16, processes: [String] = []) {
        guard let service = processes.lazy.compactMap({ Self.byProcess[$0] }).first ?? Self.byPort[port] else {
            return nil
        }
        self = service
    }

    /// The warning for a route on which everybody may come in.
    public var caution: String {
        "\(name) is behind this port, as it seems, and \(risk); say who may come in: --allow 10.0.0.0/8, or 'allow' in a route"
    }

    private static let noPassword =
        "it asks nobody for a password unless one was set, and whoever reaches it has its data"
    private static let database = "whoever reaches it may try passwords, and some set-ups ask for none"

    private static let redis = RiskyService(
        "a Redis server",
        "it asks nobody for a password unless one was set, and whoever reaches it has its data and can run commands")
    private static let memcached = RiskyService(
        "memcached", "it knows no passwords, and whoever reaches it has its data")
    private static let postgres = RiskyService("a PostgreSQL server", database)
    private static let mysql = RiskyService("a MySQL server", database)
    private static let mongo = RiskyService("a MongoDB server", noPassword)
    private static let elasticsearch = RiskyService("an Elasticsearch server", noPassword)
    private static let couch = RiskyService("a CouchDB server", database)
    private static let docker = RiskyService("Docker's API", "whoever reaches it owns the machine")
    private static let etcd = RiskyService(
        "an etcd server", "whoever reaches it has all that a cluster knows, secrets too")
    private static let kubelet = RiskyService("a kubelet", "whoever it trusts runs commands in every container")
    private static let consul = RiskyService("a Consul agent", noPassword)
    private static let jupyter = RiskyService(
        "a Jupyter server", "whoever has its token, which travels in clear without TLS, runs commands")

    private static let byPort: [UInt16: RiskyService] = {
        var services: [UInt16: RiskyService] = [
            6379: redis, 11211: memcached, 5432: postgres, 3306: mysql, 27017: mongo, 9200: elasticsearch, 5984: couch,
            2375: docker, 2379: etcd, 10250: kubelet, 10255: kubelet, 8500: consul, 8888: jupyter,
        ]
        for (port, service) in PrivateService.byPort where services[port] == nil {
            services[port] = RiskyService(service.name, service.risk)
        }
        return services
    }()

    private static let byProcess: [String: RiskyService] = [
        "redis-server": redis, "valkey-server": redis, "memcached": memcached, "postgres": postgres, "mysqld": mysql,
        "mariadbd": mysql, "mongod": mongo, "dockerd": docker, "etcd": etcd, "kubelet": kubelet, "consul": consul,
        "jupyter-lab": jupyter, "jupyter-noteboo": jupyter, "jupyter-server": jupyter,
    ]
}

import Testing

@testable import Discovery

/// Services that should not be within everybody's reach.
@Suite struct RiskyServiceTests {
    @Test(arguments: [
        (6379, "a Redis server"), (11211, "memcached"), (5432, "a PostgreSQL server"), (3306, "a MySQL server"),
        (27017, "a MongoDB server"), (9200, "an Elasticsearch server"), (2375, "Docker's API"),
        (2379, "an etcd server"),
        (10250, "a kubelet"), (8888, "a Jupyter server"),
    ])
    func isKnownByItsPort(port: Int, name: String) throws {
        let service = try #require(RiskyService(port: UInt16(port)))
        #expect(service.name == name)
        #expect(service.caution.contains("--allow"))
    }

    @Test func everyPrivateServiceIsOne() throws {
        for (port, service) in PrivateService.byPort {
            #expect(try #require(RiskyService(port: port)).risk == service.risk)
        }
    }

    /// The name says more than the port does.
    @Test func isKnownByItsProcess() {
        #expect(RiskyService(port: 8000, processes: ["sh", "redis-server"])?.name == "a Redis server")
        #expect(RiskyService(port: 6379, processes: ["memcached"])?.name == "memcached")
    }

    @Test(arguments: [80, 443, 8000, 8080, 3000]) func whatIsCommonIsNone(port: UInt16) {
        #expect(RiskyService(port: port, processes: ["python3", "node"]) == nil)
    }
}

import Configuration
import Testing

@Suite struct DifferenceTests {
    private func configuration(_ routes: String..., settings: String = "") throws -> Configuration {
        let yaml = settings + "\nroutes:\n" + routes.map { "  - { \($0) }\n" }.joined()
        return try load(yaml: yaml).get()
    }

    private let web = "name: web, listen: 8080, upstream: 8000"
    private let api = "name: api, listen: 8081, upstream: 8001"

    @Test func nothingDiffersFromItself() throws {
        let same = try configuration(web, api, "listen: 8082, upstream: 8000")
        let difference = ConfigurationDifference(from: same, to: same)
        #expect(difference.origins == [.unchanged(from: 0), .unchanged(from: 1), .unchanged(from: 2)])
        #expect(difference.removed.isEmpty && difference.settings.isEmpty)
        #expect(difference.summary == "3 routes unchanged")
    }

    @Test func theOrderOfRoutesIsNoChange() throws {
        let difference = ConfigurationDifference(from: try configuration(web, api), to: try configuration(api, web))
        #expect(difference.origins == [.unchanged(from: 1), .unchanged(from: 0)])
    }

    @Test func routesAreAddedChangedAndRemoved() throws {
        let difference = ConfigurationDifference(
            from: try configuration(web, api, "name: old, listen: 8082, upstream: 8000"),
            to: try configuration(
                "name: new, listen: 8083, upstream: 8000", api, "name: web, listen: 8080, upstream: 9000"))
        #expect(difference.origins == [.added, .unchanged(from: 1), .changed(from: 0)])
        #expect(difference.removed == [2])
        #expect(difference.summary == "1 route added, 1 changed, 1 removed, 1 unchanged")
    }

    @Test(arguments: [
        "name: web, listen: 9090, upstream: 8000",
        "name: web, listen: [8080, 9090], upstream: 8000",
        "name: web, listen: 8080, upstream: 8001",
        "name: web, listen: 8080, upstream: 8000, hold: 1s",
        "name: web, listen: 8080, upstream: 8000, connect_timeout: 2s",
        "name: web, listen: 8080, upstream: 8000, idle_timeout: 1s",
        "name: web, listen: 8080, upstream: 8000, half_close_timeout: 1s",
        "name: web, listen: 8080, upstream: 8000, max_connections: 1",
        "name: web, listen: 8080, upstream: 8000, source: per_client",
        "name: web, listen: 8080, upstream: 8000, protocol: http",
        "name: web, listen: 8080, upstream: 8000, pool: { idle: 3 }",
        // Without its name, by its listener.
        "listen: 8080, upstream: 8000",
        "name: other, listen: [9090, 8080], upstream: 8000",
    ])
    func aRouteHasChanged(route: String) throws {
        let difference = ConfigurationDifference(from: try configuration(web, api), to: try configuration(api, route))
        #expect(difference.origins == [.unchanged(from: 1), .changed(from: 0)])
        #expect(difference.removed.isEmpty)
    }

    @Test(arguments: [
        "host: upstream", "trusted_proxies: [10.0.0.0/8]", "head_timeout: 1s", "body_timeout: 1s",
        "response_timeout: 1s", "keep_alive_timeout: 1s", "max_head_size: 16KiB", "max_fields: 50",
        "max_target_length: 4KiB",
    ])
    func aRouteOfHTTPHasChanged(setting: String) throws {
        let web = "\(web), protocol: http"
        let difference = ConfigurationDifference(
            from: try configuration(web, api), to: try configuration("\(web), http: { \(setting) }", api))
        #expect(difference.origins == [.changed(from: 0), .unchanged(from: 1)])
        // What only HTTP can use is no change of the others.
        let defaults = ConfigurationDifference(
            from: try configuration(web, api),
            to: try configuration(web, api, settings: "defaults: { http: { \(setting) } }"))
        #expect(defaults.origins == [.changed(from: 0), .unchanged(from: 1)])
    }

    @Test func aNameCountsMoreThanAnAddress() throws {
        let difference = ConfigurationDifference(
            from: try configuration(web, api),
            to: try configuration("name: api, listen: 8080, upstream: 8000", "name: web, listen: 8081, upstream: 8001"))
        #expect(difference.origins == [.changed(from: 1), .changed(from: 0)])
    }

    @Test func aRouteHasOneSuccessor() throws {
        let difference = ConfigurationDifference(
            from: try configuration("name: both, listen: [8080, 8081], upstream: 8000"),
            to: try configuration("name: one, listen: 8080, upstream: 8000", "name: two, listen: 8081, upstream: 8000"))
        #expect(difference.origins == [.changed(from: 0), .added])
        let merged = ConfigurationDifference(
            from: try configuration(web, api),
            to: try configuration("name: both, listen: [8080, 8081], upstream: 8000"))
        #expect(merged.origins == [.changed(from: 0)])
        #expect(merged.removed == [1])
    }

    @Test(arguments: [
        ("workers: 7", "workers", "1 route unchanged"),
        ("log: { level: debug }", "log", "1 route unchanged; changed besides: log"),
        ("log: { access: false }", "log", "1 route unchanged; changed besides: log"),
        ("drain: 7s", "drain", "1 route unchanged; changed besides: drain"),
    ])
    func settingsDiffer(text: String, setting: String, summary: String) throws {
        let difference = ConfigurationDifference(
            from: try configuration(web), to: try configuration(web, settings: text))
        #expect(difference.origins == [.unchanged(from: 0)])
        #expect(difference.settings == [setting])
        #expect(difference.summary == summary)
    }

    @Test func defaultsAreAChangeOfTheRoutesThatTheyReach() throws {
        let own = "name: own, listen: 8081, upstream: 8000, hold: 3s"
        let difference = ConfigurationDifference(
            from: try configuration(web, own), to: try configuration(web, own, settings: "defaults: { hold: 1m }"))
        #expect(difference.origins == [.changed(from: 0), .unchanged(from: 1)])
        #expect(difference.settings == ["defaults"])
    }

    @Test func thereMayBeNoRoutes() {
        let difference = ConfigurationDifference(from: Configuration(routes: []), to: Configuration(routes: []))
        #expect(difference.summary == "no routes")
    }
}

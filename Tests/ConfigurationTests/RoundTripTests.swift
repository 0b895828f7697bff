import Configuration
import Testing

@Suite struct RoundTripTests {
    @Test func writesEveryKey() throws {
        let configuration = try load(routes: ["8000"]).get()
        #expect(
            configuration.yaml == """
                workers: auto
                log:
                  level: info
                  format: text
                  access: true
                drain: 5s
                defaults:
                  hold: 10s
                  connect_timeout: 1s
                  idle_timeout: 1h
                  half_close_timeout: 5m
                  max_connections: 10000
                  connect: accept
                  upstream_connections:
                    max: unlimited
                    queue: 1000
                    queue_timeout: 10s
                  pool:
                    spare: 0
                  source: default
                routes:
                - name: '*:8000'
                  listen:
                  - '*:8000'
                  upstream: localhost:8000
                  protocol: tcp
                  hold: 10s
                  connect_timeout: 1s
                  idle_timeout: 1h
                  half_close_timeout: 5m
                  max_connections: 10000
                  connect: accept
                  upstream_connections:
                    max: unlimited
                    queue: 1000
                    queue_timeout: 10s
                  pool:
                    spare: 0
                  source: default

                """)
    }

    @Test(arguments: RouteArgumentTests.good) func readsAnyRouteAgain(_ example: RouteArgumentTests.Good) throws {
        let written = try load(routes: [example.text]).get()
        let read = try load(yaml: written.yaml).get()
        #expect(read == written)
    }

    @Test(arguments: [
        "null", "~", "8080", "true", "a: b", "#x", "ü 🙂", "*", "- x", "'", "\"", " a ", "$", "${A}", "$$",
    ])
    func readsAnyNameAgain(name: String) throws {
        var written = try load(routes: ["8000"]).get()
        written.routes[0].name = name
        let read = try load(yaml: written.yaml).get()
        #expect(read == written)
    }

    @Test func readsEverySettingAgain() throws {
        let options = [
            "workers": "7", "log-level": "warning", "log-format": "json", "access-log": "false", "drain": "1ms",
            "hold": "2m", "connect-timeout": "3s", "idle-timeout": "4h", "half-close-timeout": "90s",
            "max-connections": "5", "connect": "first_byte", "upstream-connections": "3", "queue": "0",
            "queue-timeout": "7s", "spare": "2", "source": "per_client",
        ]
        #expect(Set(options.keys) == Set(ConfigurationOption.all.map(\.name)))
        let written = try load(options: options, routes: ["8000", "192.0.2.1:81:127.9.9.9:82"]).get()
        let read = try load(yaml: written.yaml).get()
        #expect(read == written)
    }
}

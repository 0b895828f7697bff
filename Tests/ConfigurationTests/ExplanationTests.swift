import Configuration
import Testing

@Suite struct ExplanationTests {
    private func explanation(
        _ yaml: String?, environment: [String: String] = [:], options: [String: String] = [:], routes: [String] = []
    ) throws -> String {
        let file = yaml.map { ConfigurationFile(path: "f", contents: Array($0.utf8)) }
        let sources = ConfigurationSources(file: file, environment: environment, options: options, routes: routes)
        return try LoadedConfiguration(sources).explanation
    }

    @Test func namesEverySource() throws {
        let yaml = """
            log: { level: warning, levels: { access: info } }
            defaults: { hold: 3s, connect_timeout: 2s }
            routes:
              - listen: [8080, 127.0.0.1:9000]
                upstream: localhost:${PORT}
                hold: ${HOLD:-1m}
            """
        let text = try explanation(
            yaml,
            environment: [
                "LOOPBRIDGE_DRAIN": "1s", "LOOPBRIDGE_IDLE_TIMEOUT": "2h", "PORT": "8000",
                "LOOPBRIDGE_LOG_LEVELS": "loop=error",
            ],
            options: ["max-connections": "7", "log-levels": "upstream=debug"])
        #expect(
            text == """
                workers: auto                     # default
                log:
                  level: warning                  # f:1:15
                  levels:
                    access: info                  # f:1:42
                    admin: default                # default
                    configuration: default        # default
                    discovery: default            # default
                    listeners: default            # default
                    log: default                  # default
                    loop: error                   # LOOPBRIDGE_LOG_LEVELS
                    process: default              # default
                    upstream: debug               # --log-levels
                  format: text                    # default
                  access: true                    # default
                admin:
                  listen: none                    # default
                  socket: none                    # default
                  allow: none                     # default
                  deny: none                      # default
                drain: 1s                         # LOOPBRIDGE_DRAIN
                memory: auto                      # default
                defaults:
                  hold: 3s                        # f:2:19
                  connect_timeout: 2s             # f:2:40
                  idle_timeout: 2h                # LOOPBRIDGE_IDLE_TIMEOUT
                  half_close_timeout: 5m          # default
                  max_connections: 7              # --max-connections
                  connect: accept                 # default
                  upstream_connections:
                    max: unlimited                # default
                    queue: 1000                   # default
                    queue_timeout: 10s            # default
                  pool:
                    spare: 0                      # default
                    idle: 32                      # default
                    idle_timeout: 4s              # default
                    max_requests: unlimited       # default
                  source: default                 # default
                  per_client:
                    max_connections: unlimited    # default
                    rate: unlimited               # default
                    burst: auto                   # default
                  allow: none                     # default
                  deny: none                      # default
                  proxy_protocol:
                    accept: false                 # default
                    trusted_proxies: none         # default
                    header_timeout: 3s            # default
                    send: off                     # default
                  tls:
                    certificate: none             # default
                    key: none                     # default
                    client_ca: none               # default
                    client_certificate: required  # default
                    handshake_timeout: 10s        # default
                  http:
                    host: preserve                # default
                    trusted_proxies: none         # default
                    basic_auth:
                      file: none                  # default
                      realm: loopbridge           # default
                    head_timeout: 10s             # default
                    body_timeout: 30s             # default
                    response_timeout: 1m          # default
                    keep_alive_timeout: 1m        # default
                    max_head_size: 32KiB          # default
                    max_fields: 100               # default
                    max_target_length: 8KiB       # default
                routes:
                - name: 0.0.0.0:8080              # the first listen address
                  listen:
                  - 0.0.0.0:8080                  # f:4:14
                  - '[::]:8080'                   # f:4:14
                  - 127.0.0.1:9000                # f:4:20
                  upstream: localhost:8000        # f:5:15 ${PORT}
                  protocol: tcp                   # default
                  hold: 1m                        # f:6:11 ${HOLD}
                  connect_timeout: 2s             # f:2:40 (defaults)
                  idle_timeout: 2h                # LOOPBRIDGE_IDLE_TIMEOUT
                  half_close_timeout: 5m          # default
                  max_connections: 7              # --max-connections
                  connect: accept                 # default
                  upstream_connections:
                    max: unlimited                # default
                    queue: 1000                   # default
                    queue_timeout: 10s            # default
                  pool:
                    spare: 0                      # default
                    idle: 32                      # default
                    idle_timeout: 4s              # default
                    max_requests: unlimited       # default
                  source: default                 # default
                  per_client:
                    max_connections: unlimited    # default
                    rate: unlimited               # default
                    burst: auto                   # default
                  allow: none                     # default
                  deny: none                      # default
                  proxy_protocol:
                    accept: false                 # default
                    trusted_proxies: none         # default
                    header_timeout: 3s            # default
                    send: off                     # default
                  tls:
                    certificate: none             # default
                    key: none                     # default
                    client_ca: none               # default
                    client_certificate: required  # default
                    handshake_timeout: 10s        # default

                """)
    }

    @Test func namesWhatARouteHasFromTheDefaultsOneByOne() throws {
        let yaml = """
            defaults: { pool: { spare: 2 }, upstream_connections: { max: 3, queue: 4 } }
            routes: [{ listen: 80, upstream: 8000, upstream_connections: { queue: 5 } }]
            """
        let route = try #require(try explanation(yaml).split(separator: "routes:").last)
        #expect(
            route.contains(
                """
                  upstream_connections:
                    max: 3                        # f:1:62 (defaults)
                    queue: 5                      # f:2:71
                    queue_timeout: 10s            # default
                  pool:
                    spare: 2                      # f:1:28 (defaults)
                    idle: 32                      # default

                """))
    }

    @Test func namesWhereTheSettingsOfHTTPAreFrom() throws {
        let yaml = """
            defaults: { http: { host: upstream, trusted_proxies: [10.0.0.0/8, "${NET}"] } }
            routes:
              - { listen: 80, upstream: 8000, protocol: http, http: { max_head_size: 64KiB } }
              - { listen: 81, upstream: 8000, protocol: http, http: { trusted_proxies: 192.0.2.1 } }
              - { listen: 82, upstream: 8000, protocol: http, http: { trusted_proxies: [] } }
            """
        let environment = ["NET": "fd00::/8"]
        let lines = try explanation(yaml, environment: environment, options: ["host": "localhost"])
            .split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        func count(_ line: String) -> Int { lines.count { $0 == line } }
        #expect(count("host: localhost # --host") == 4)
        #expect(count("- 10.0.0.0/8 # f:1:54 ${NET}") == 1)
        #expect(count("- fd00::/8 # f:1:54 ${NET}") == 1)
        #expect(count("- 10.0.0.0/8 # f:1:54 (defaults) ${NET}") == 1)
        #expect(count("max_head_size: 64KiB # f:3:74") == 1)
        #expect(count("- 192.0.2.1/32 # f:4:76") == 1)
        #expect(count("trusted_proxies: none # f:5:76") == 1)
        #expect(count("protocol: http # f:3:45") == 1)
        let route = try explanation(yaml, environment: environment, routes: ["80:8000/http"])
        #expect(route.contains("  protocol: http                  # route '80:8000/http'\n"))
    }

    @Test func namesRoutesThatReplaceTheFiles() throws {
        let yaml = "defaults: { hold: 3s }\nroutes: [{ name: web, listen: 80, upstream: 8000, idle_timeout: 1m }]"
        #expect(
            try explanation(yaml, routes: ["81:8001"]).hasSuffix(
                """
                routes:
                - name: 0.0.0.0:81                # the first listen address
                  listen:
                  - 0.0.0.0:81                    # route '81:8001'
                  - '[::]:81'                     # route '81:8001'
                  upstream: localhost:8001        # route '81:8001'
                  protocol: tcp                   # default
                  hold: 3s                        # f:1:19 (defaults)
                  connect_timeout: 1s             # default
                  idle_timeout: 1h                # default
                  half_close_timeout: 5m          # default
                  max_connections: 10000          # default
                  connect: accept                 # default
                  upstream_connections:
                    max: unlimited                # default
                    queue: 1000                   # default
                    queue_timeout: 10s            # default
                  pool:
                    spare: 0                      # default
                    idle: 32                      # default
                    idle_timeout: 4s              # default
                    max_requests: unlimited       # default
                  source: default                 # default
                  per_client:
                    max_connections: unlimited    # default
                    rate: unlimited               # default
                    burst: auto                   # default
                  allow: none                     # default
                  deny: none                      # default
                  proxy_protocol:
                    accept: false                 # default
                    trusted_proxies: none         # default
                    header_timeout: 3s            # default
                    send: off                     # default
                  tls:
                    certificate: none             # default
                    key: none                     # default
                    client_ca: none               # default
                    client_certificate: required  # default
                    handshake_timeout: 10s        # default

                """))
        let environment = try explanation(nil, environment: ["LOOPBRIDGE_ROUTES": "8000"])
        #expect(environment.contains("upstream: localhost:8000        # LOOPBRIDGE_ROUTES: route '8000'\n"))
    }

    /// Whatever a name holds, the lines and their comments stay together, and the whole stays a configuration.
    @Test(arguments: ["null", "a # b", "'", "\"", "- x", "$", "🙂 ü", " a ", String(repeating: "x ", count: 49)])
    func staysAConfiguration(name: String) throws {
        var written = try load(routes: ["8000"]).get()
        written.routes[0].name = name
        let text = try explanation(written.yaml)
        #expect(try text.split(separator: "\n").count == written.yaml.split(separator: "\n").count)
        #expect(try load(yaml: text).get() == written)
    }
}
